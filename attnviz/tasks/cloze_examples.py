"""Short texts to try, each with a sentence that lacks a word."""

ENGLISH = (
    {
        "document": (
            'Old Peter kept a goose that he called Greta. "Come, Greta," he said every evening, and '
            "Greta walked with him to the village. The children laughed at Greta and at old Peter. "
            "One night the fox came into the yard. Greta beat her wings and cried so loudly that the "
            'whole street woke up. The fox ran away over the wall. "You saved us all, Greta," said '
            "the neighbours."
        ),
        "question": '"Come, ___ ," said old Peter, "let us go home."',
    },
    {
        "document": (
            "There was once a little hare who was afraid of everything. The little hare was afraid of"
            " the wind, and he was afraid of the rain. One day a big bear came into the wood. All the"
            " animals ran away, but the bear had only hurt his foot. The little hare took a thorn out"
            " of the foot of the bear. From that day on the bear was a friend of the little hare."
        ),
        "question": "Whenever the wind blew, the little ___ sat down beside the big bear.",
    },
    {
        "document": (
            "It had rained for a week, and the road to the castle was deep in mud. The horse could go"
            " no farther, and the old soldier got down to lead it. At last he saw a light between the"
            " trees. A woman stood at the door of a cottage with a lamp in her hand. She gave him "
            "bread and soup, and put hay before the horse. In the morning the sun was shining."
        ),
        "question": "The old ___ thanked the woman and led the horse back to the road.",
    },
    {
        "document": (
            "The king had lost his golden ring. He promised a bag of silver to anyone who found the "
            "golden ring. The gardener looked for the ring under every bush. The cook looked for the "
            "ring in the soup. Only Martin, the youngest page, asked the magpie. The magpie flew up "
            "to her nest, and there lay the ring."
        ),
        "question": "Martin brought the golden ___ to the king.",
    },
    {
        "document": (
            "Clara sat at the window and waited for the post. Her brother Henry had gone to sea in "
            "the spring, and he had promised to write. At noon the postman came up the hill. He had a"
            " letter with a strange stamp. Clara tore it open. Henry wrote that he had seen whales, "
            "and that he would be home before Christmas. Clara read it three times and then carried "
            "it to her mother."
        ),
        "question": '"Mother, a ___ from Henry has come !" she cried.',
    },
)
CHINESE = (
    {
        "document": (
            "老奶奶家的院子里有一口井。一天晚上，小猴子往井里看，看见井里有一个月亮。小猴子大叫起来：“不好了"
            "，月亮掉到井里了！”大猴子听见了，也跑来看。猴子们一个拉着一个，想把月亮捞上来。老猴子抬头一看，"
            "月亮还在天上。"
        ),
        "question": "老猴子说：“不用捞了，___还在天上呢！”",
    },
    {
        "document": (
            "狼来到小羊的家门口，一边敲门一边说：“小羊乖乖，把门开开。”小羊听出不是妈妈的声音，就说：“不开"
            "不开，你是大灰狼！”大灰狼气得直跺脚。这时候，妈妈回来了，她用角把大灰狼赶跑了。小羊打开门，高兴"
            "地扑到妈妈怀里。"
        ),
        "question": "妈妈夸小羊：“你真聪明，没有给___开门。”",
    },
    {
        "document": (
            "狐狸看见乌鸦嘴里叼着一块肉，很想吃。狐狸对乌鸦说：“您的歌声真好听，请您唱一首歌吧！”乌鸦听了很"
            "得意，就张开嘴唱了起来。肉从她的嘴里掉了下来。狐狸叼起肉就跑了。乌鸦站在树上，又生气又后悔。"
        ),
        "question": "___叼着肉跑回家，心里非常高兴。",
    },
    {
        "document": (
            "国王有一件漂亮的衣服，他每天都要穿。一天，衣服破了一个洞，国王很难过。王后请来了全国最好的裁缝。"
            "裁缝用金线在洞上绣了一朵玫瑰花。国王看了非常喜欢，送给裁缝一袋金币。"
        ),
        "question": "___高兴地对裁缝说：“这朵玫瑰花真漂亮！”",
    },
    {
        "document": (
            "冬天到了，森林里下了一场大雪。小松鼠坐在家里吃松果，心里很高兴。这时候，有人敲门，原来是小刺猬。"
            "小刺猬说：“我的房子被大雪压坏了，我没有地方住。”小松鼠连忙请小刺猬进屋，给他倒了一杯热茶。第二"
            "天，雪停了，他们一起去修房子。"
        ),
        "question": "小松鼠和小刺猬一起把___修好了。",
    },
)
