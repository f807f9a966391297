"""Fast training on stories gives the module's own numbers, and its data stay true however they are told."""

import random

import pytest
import torch
from torch import testing

from attnviz.attention import registry as mechanisms
from attnviz.features.story import StoryFeatures
from attnviz.recording import record
from attnviz.tasks import registry as tasks
from attnviz.tasks.babi import N_FACTS
from attnviz.tasks.babi_words import MOVES, PEOPLE, PLACES, TAKES, THINGS, WORDS
from attnviz.tasks.classifier import Classifier
from attnviz.training.jobs.story import on_facts, variants
from attnviz.training.stories import Book, ages, answered, joined, logits, swaps
from attnviz.training.story_fit import Linear, Plan, fit
from tests.stories import answer

SIZES = {"d_items": len(WORDS["babi_2"]), "position": "paper", "n_times": N_FACTS}
NETWORKS = [("memory_network", {}), ("memory_network", {"tying": "layerwise"}), ("man", {})]


def told(n, seed=0, things=True):
    """n questions with answers, as the data have them: someone, or something that someone carries, was last where?"""
    draw, rows = random.Random(seed), []
    for _ in range(n):
        facts = [f"{draw.choice(PEOPLE)} {draw.choice(MOVES)} the {draw.choice(PLACES)}" for _ in range(5)]
        who, thing = draw.choice(PEOPLE), draw.choice(THINGS)
        facts += [
            f"{who} {draw.choice(TAKES)} the {thing} there",
            f"{who} {draw.choice(MOVES)} the {draw.choice(PLACES)}",
        ]
        question = f"Where is the {thing}" if things else f"Where is {who}"
        rows.append({"facts": facts, "question": question, "answer": answer(facts, question), "support": [5, 6]})
    return rows, torch.tensor([PLACES.index(row["answer"]) for row in rows])


def book():
    return Book(StoryFeatures(WORDS["babi_2"], 7))


def network(name, options):
    spec = mechanisms.get(name)
    return Classifier(spec, spec.parse(options), 8, len(PLACES), **SIZES)


def one_hot(found, stories):
    """The same questions for the module itself: items, mask and sides."""
    known = {number: words for words, number in found.numbers.items()}
    facts = [[known[number] for number in row] for row in stories.facts.tolist()]
    questions = [known[number] for number in stories.questions.tolist()]
    asking = found.features(questions)
    items = torch.stack([found.features(row) for row in facts])
    sides = {"question": asking, "query_items": asking, "query_mask": asking.any(-1)}
    return items.double(), stories.facts != 0, {k: v if v.dtype == torch.bool else v.double() for k, v in sides.items()}


@pytest.mark.parametrize(("name", "options"), NETWORKS)
def test_looking_words_up_gives_the_modules_own_numbers(name, options):
    found, classifier = book(), network(name, options).double()
    rows, labels = told(6)
    rows[2]["facts"], rows[3]["facts"] = rows[2]["facts"][:3], rows[3]["facts"] * 9  # few, and more than are kept
    stories = found.stories(rows, labels)
    items, mask, sides = one_hot(found, stories)
    expected = classifier(items, mask, **sides).logits
    testing.assert_close(logits(classifier, found.words(), stories, ages(N_FACTS)), expected, rtol=1e-9, atol=1e-10)
    same, _ = answered(classifier, found.words(), stories)
    testing.assert_close(same, expected.detach(), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(("name", "options"), NETWORKS)
def test_the_largest_weights_are_those_of_the_recorded_maps(name, options):
    found, classifier = book(), network(name, options).double()
    stories = found.stories(*told(4, seed=1))
    _, largest = answered(classifier, found.words(), stories)
    for row in range(4):
        items, mask, sides = one_hot(found, stories.rows(torch.tensor([row])))
        with record() as recording, torch.no_grad():
            classifier(items, mask, **sides)
        expected = torch.as_tensor(recording.maps()[0].weights)[:, 0].argmax(-1)
        assert torch.equal(largest[row], expected)


def test_support_is_where_the_facts_are_kept():
    found = book()
    rows, labels = told(2)
    rows[1]["facts"] = rows[1]["facts"][:1] * (N_FACTS - 3) + rows[1]["facts"]  # the oldest facts are not kept
    stories = found.stories(rows, labels)
    assert stories.support[0] == (N_FACTS - 2, N_FACTS - 1) and (stories.facts[0] > 0).sum() == 7
    last = found.number(found.features.known(rows[0]["facts"][-1]))
    assert stories.facts[0, -1] == last
    assert stories.support[1] == (1, 2)  # the four oldest of 54 facts are gone
    assert (stories.facts[1] > 0).all()


def text(found, stories, row):
    known = {number: " ".join(words) for words, number in found.numbers.items()}
    facts = [known[n] for n in stories.facts[row].tolist() if n]
    return facts, known[int(stories.questions[row])]


def test_however_a_story_is_told_its_answer_is_right():
    found = book()
    stories = found.stories(*told(40))
    ways = swaps(found, PLACES, 6, seed=0)
    assert torch.equal(ways.told(stories, torch.zeros(40, dtype=torch.long)).facts, stories.facts)
    changed = 0
    for way in range(1, 6):
        retold = ways.told(stories, torch.full((40,), way))
        for row in range(40):
            facts, question = text(found, retold, row)
            assert answer(facts, question) == PLACES[retold.labels[row]]
        changed += int((retold.labels != stories.labels).sum())
    assert changed > 100
    assert max(map(len, found.numbers)) <= found.features.n_words  # no word is lost


def test_a_story_gets_another_before_its_beginning():
    found = book()
    first, second = told(2)[0], told(2, seed=5)[0]
    second[1]["facts"] = second[1]["facts"] * 7  # 49 facts, of which 43 fit
    stories, earlier = (found.stories(rows, torch.zeros(2, dtype=torch.long)) for rows in (first, second))
    both = joined(stories, earlier, torch.tensor([True, True]))
    for row in (0, 1):
        before, after = text(found, earlier, row)[0], text(found, stories, row)[0]
        assert text(found, both, row)[0] == [*before, *after][-N_FACTS:]
    assert torch.equal(joined(stories, earlier, torch.tensor([False, False])).facts, stories.facts)


def test_a_linear_start_has_scores_for_weights():
    scores, mask = torch.randn(1, 1, 3), torch.tensor([[[True, False, True]]])
    found = Linear()(scores, "hop* query key", mask=mask)
    assert torch.equal(found, scores * mask)


def test_a_small_network_learns_and_the_start_with_the_lowest_loss_goes_on():
    found = book()
    train, val = found.stories(*told(1500, things=False)), found.stories(*told(200, seed=9, things=False))
    ways = swaps(found, PLACES, 20, seed=0)
    plan = Plan(starts=2, first=3, epochs=5, linear=1, rate=1e-2)
    classifier, losses = fit(lambda: network("memory_network", {"n_hops": 1}), found.words(), train, ways, plan, seed=0)
    right, largest = answered(classifier, found.words(), val)
    assert (right.argmax(1) == val.labels).double().mean() > 0.9
    assert (largest[:, 0] == N_FACTS - 1).double().mean() > 0.9  # the last fact is the one that answers
    assert len(losses) == 2 and type(classifier.attention.align).__name__ == "Alignment"


def test_hops_on_facts_by_hand():
    largest = torch.tensor([[7, 3], [7, 3], [3, 7], [9, 9]])
    found = on_facts(largest, [(3, 7)] * 4)
    expected = {
        "hop 1 on any supporting fact": 0.75,
        "hop 2 on any supporting fact": 0.75,
        "hop 1 on fact 1": 0.25,
        "hop 1 on fact 2": 0.5,
        "hop 2 on fact 1": 0.5,
        "hop 2 on fact 2": 0.25,
        "facts in the order 1, 2": 0.25,
        "facts in the order 2, 1": 0.5,
    }
    assert found == expected


def test_of_orders_that_never_come_whole_the_one_is_named_whose_hops_do_best():
    found = on_facts(torch.tensor([[1, 3, 8], [1, 3, 9]]), [(1, 2, 3)] * 2)
    orders = {name: share for name, share in found.items() if name.startswith("facts")}
    assert orders == {"facts in the order 1, 2, 3": 0.0, "facts in the order 1, 3, 2": 0.0}


def test_with_more_hops_than_facts_the_others_are_free_and_with_fewer_some_facts_are_left():
    more = on_facts(torch.tensor([[1, 4, 2], [1, 5, 2]]), [(1, 2)] * 2)
    assert (more["facts in the order 1, 2, –"], more["facts in the order 1, –, 2"]) == (0.0, 1.0)
    fewer = on_facts(torch.tensor([[2], [1]]), [(1, 2)] * 2)
    assert fewer["facts in the order 1"] == 0.5 and "facts in the order 2" not in fewer


def test_where_questions_have_different_numbers_of_facts_each_counts_those_that_have_it():
    found = on_facts(torch.tensor([[1, 2], [1, 9]]), [(1,), (1, 2)])
    assert found == {
        "hop 1 on any supporting fact": 1.0,
        "hop 2 on any supporting fact": 0.0,
        "hop 1 on fact 1": 1.0,
        "hop 2 on fact 2": 0.0,
    }


def test_hops_are_varied_where_the_number_of_facts_is_known():
    network, man = mechanisms.get("memory_network"), mechanisms.get("man")
    assert variants(tasks.get("babi_2"), network) == [{}, {"n_hops": 1}, {"n_hops": 2}]
    assert variants(tasks.get("babi"), network) == variants(tasks.get("babi_1"), man) == [{}]
