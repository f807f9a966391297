"""What the bAbI tasks are made of: their words and answers, and stories of our own to try."""

PEOPLE = ("daniel", "john", "mary", "sandra")
PLACES = ("bathroom", "bedroom", "garden", "hallway", "kitchen", "office")
THINGS = ("apple", "football", "milk")
MOVES = ("went to", "went back to", "journeyed to", "travelled to", "moved to")
TAKES = ("got", "grabbed", "took", "picked up")
DROPS = ("dropped", "left", "discarded", "put down", "let go of")


def _words(*phrases: str) -> tuple[str, ...]:
    return tuple(sorted({word for phrase in phrases for word in phrase.split()}))


_ONE = _words(*PEOPLE, *PLACES, *MOVES, "the where is")
_TWO = _words(*_ONE, *THINGS, *TAKES, *DROPS, "there")
WORDS = {
    "babi_1": _ONE,
    "babi_2": _TWO,
    "babi_3": _words(*_TWO, "before was"),
    "babi": _words(
        """a above afraid after afternoon afterwards and antoine apple are back bathroom bedroom before below bernhard
        bigger bill blue bored box brian carrying cat cats chest chocolate chocolates cinema color container daniel did
        discarded do does down dropped east either emily evening fit fits following football fred frog from garden gave
        gertrude get give go got grabbed gray green greg hallway handed he how hungry in inside is jason jeff jessica
        john journeyed julie julius kitchen left lily lion longer many mary mice milk morning mouse moved no north not
        objects of office or pajamas park passed picked pink put received rectangle red rhino right sandra school she
        sheep south sphere square suitcase sumit swan than that the then there they thirsty this tired to took travelled
        triangle up was went west what where white who why will winona wolf wolves yann yellow yesterday you"""
    ),
}
_WAYS = {"n": "north", "e": "east", "s": "south", "w": "west"}
_TURNS = "n,n n,e n,w e,e e,n e,s s,s s,e s,w w,w w,n w,s".split()
_CARRIED = (
    "apple,football apple,milk football,apple football,milk milk,apple milk,football apple,football,milk "
    "apple,milk,football football,apple,milk football,milk,apple milk,apple,football milk,football,apple"
).split()
ANSWERS = {  # as the data writes them
    "babi_1": PLACES,
    "babi_2": PLACES,
    "babi_3": PLACES,
    "babi": (
        *("yes", "no", "maybe", "none", "one", "two", "three", "nothing", *THINGS, *_CARRIED, *PLACES),
        *("park", "cinema", "school", "Mary", "Fred", "Bill", "Jeff", "cat", "mouse", "sheep", "wolf"),
        *("yellow", "green", "white", "gray", "bored", "thirsty", "tired", "hungry", *_TURNS),
    ),
}


def shown(answer: str) -> str:
    """An answer as a person reads it: "n,w" is "north, west"."""
    return ", ".join(_WAYS.get(part, part) for part in answer.split(","))


def _story(facts: str, question: str) -> dict[str, str]:
    return {"facts": "\n".join(f"{fact.strip()}." for fact in facts.split(".") if fact.strip()), "question": question}


_WALK = (
    "Mary went to the garden. John travelled to the office. Mary moved to the kitchen. Sandra journeyed to the hallway"
)
_APPLE = (
    "John went to the bedroom. John picked up the apple. Mary moved to the office. John travelled to the garden. "
    "Mary grabbed the milk. Mary went back to the hallway"
)
_TOUR = (
    "Sandra got the football. Sandra went to the office. John moved to the garden. Sandra journeyed to the bathroom. "
    "Sandra travelled to the kitchen. Sandra dropped the football. John went back to the hallway"
)
EXAMPLES = {
    "babi_1": (
        _story(_WALK, "Where is Mary?"),
        _story("Daniel moved to the bathroom. Daniel went back to the office", "Where is Daniel?"),
        _story(
            "Sandra went to the kitchen. John moved to the kitchen. Sandra went back to the garden. "
            "Daniel travelled to the bedroom. John journeyed to the bathroom. Daniel went to the hallway",
            "Where is Sandra?",
        ),
        _story("Mary went to the office. Mary went to the office. John went to the office", "Where is John?"),
    ),
    "babi_2": (
        _story(_APPLE, "Where is the apple?"),
        _story(
            "Sandra took the football. Sandra went to the kitchen. Sandra put down the football. "
            "Sandra moved to the bathroom. Daniel went to the kitchen",
            "Where is the football?",
        ),
        _story(
            "Mary journeyed to the hallway. Daniel moved to the bedroom. Mary got the milk there. Mary left the milk. "
            "Mary travelled to the office. Daniel went back to the hallway. Daniel picked up the milk. "
            "Daniel went to the garden",
            "Where is the milk?",
        ),
        _story("Daniel got the apple. Sandra went to the office. Daniel moved to the kitchen", "Where is the apple?"),
    ),
    "babi_3": (
        _story(_TOUR, "Where was the football before the kitchen?"),
        _story(
            "Mary picked up the milk. Daniel went to the hallway. Mary moved to the bedroom. Mary went to the garden. "
            "Daniel grabbed the apple. Mary left the milk",
            "Where was the milk before the garden?",
        ),
        _story(
            "John took the apple. John went to the kitchen. John moved to the hallway. John travelled to the bathroom. "
            "Sandra went to the office. John discarded the apple. John went back to the garden",
            "Where was the apple before the bathroom?",
        ),
        _story(
            "Daniel moved to the office. Daniel got the milk. Sandra went to the garden. Daniel went to the kitchen",
            "Where was the milk before the kitchen?",
        ),
    ),
    "babi": (
        _story(_WALK, "Where is John?"),
        _story(_APPLE, "Where is the milk?"),
        _story("Sheep are afraid of wolves. Cats are afraid of mice. Emily is a sheep", "What is Emily afraid of?"),
        _story("Yann is hungry. Jason is tired", "Where will Yann go?"),
    ),
}
PAIRS = {
    "babi_1": ((_story(_WALK, "Where is Mary?"), _story(_WALK, "Where is Sandra?")),),
    "babi_2": ((_story(_APPLE, "Where is the apple?"), _story(_APPLE, "Where is the milk?")),),
    "babi_3": (
        (
            _story(_TOUR, "Where was the football before the kitchen?"),
            _story(_TOUR, "Where was the football before the bathroom?"),
        ),
    ),
    "babi": ((_story(_WALK, "Where is John?"), _story(_WALK, "Is Mary in the garden?")),),
}
