"""The world of ferry-tiny: people, things, short stories, and questions that the stories answer.

Every text the model ever sees is produced here from a seed. Facts are drawn at random, so no answer can be learned by
heart: it has to be read from the document. That is the point of the model: a damaged or misplaced KV cache turns into
a wrong answer.

A sample is a list of turns `(role, pieces)`; a piece is `(text, weight)`, where weight is the piece's share in the
loss. Pieces end at word boundaries, so encoding them one by one gives the same tokens as encoding the whole text.
"""
import random
import zlib

NAMES = ("Anna Ben Clara Dan Ella Finn Grace Hugo Iris Jack Kate Leo Mia Ned Olive Paul Rosa Sam Tess Oscar Nora Lucy "
         "Max Ivy Tom Ruth Hal Jane Fred Emma Carl Eva").split()
SHE = set("Anna Clara Ella Grace Iris Kate Mia Olive Rosa Tess Nora Lucy Ivy Ruth Jane Emma Eva".split())
COLOURS = "red blue green yellow white black brown silver golden grey pink purple".split()
OBJECTS = ("ball key hat book lamp cup boat kite coin bell box shoe map drum stone feather basket ring rope button "
           "scarf whistle spoon mirror").split()
PLACES = ("garden forest river kitchen barn market hill school beach bridge tower cave mill field harbour library "
          "station bakery castle meadow island lake museum park").split()
ANIMALS = "dog cat fox rabbit duck horse goat mouse frog bear hen sheep pony crow squirrel turtle swan donkey".split()
FOODS = "bread soup cheese cake honey berries rice apples plums pie nuts cherries pancakes porridge".split()
NUMBERS = "two three four five six seven eight nine ten eleven twelve".split()
COUNTED = "birds boats clouds trees flowers steps".split()

WORDS = NAMES + COLOURS + OBJECTS + PLACES + ANIMALS + FOODS + NUMBERS + COUNTED
KINDS = ("place", "find", "animal", "food", "count", "give")

# Share of a token in the loss. Values are what has to be fetched from the document; the words around them follow from
# the question. Prompts carry none: their facts are random by design, and the noise of predicting them hid the signal
# (README.md, "What made it learn").
VALUE, FRAME, STORY, PROMPT = 1.0, 0.4, 0.4, 0.0

WEATHER = "sunny rainy windy cold warm foggy snowy quiet bright".split()
FEELINGS = "happy proud curious calm brave cheerful".split()


def held_out(name, value):
    """One name-value pair in twenty never occurs as a fact in training; evaluation asks for it."""
    return zlib.crc32(f"{name}/{value}".encode()) % 20 == 0


class Person:
    """One person's facts. `split`: "train" keeps held-out pairs out, "held-out-pairs" draws from them wherever the name
    has one, "test" draws from all. `told` is the document's record of phrases it has used."""

    def __init__(self, rng, name, taken, friend, split, told):
        def draw(values, key=None):
            pool = [v for v in values if (key, v) not in taken]
            if split == "train":
                pool = [v for v in pool if not held_out(name, v)]
            elif split == "held-out-pairs":
                pool = [v for v in pool if held_out(name, v)] or pool
            value = rng.choice(pool)
            if key:
                taken.add((key, value))   # no two people share one of these: a mixed-up answer is never right by chance
            return value
        self.name, self.friend, self.told = name, friend, told
        self.place, self.animal, self.thing = draw(PLACES, "place"), draw(ANIMALS, "animal"), draw(OBJECTS, "thing")
        self.colour, self.food, self.number = draw(COLOURS), draw(FOODS), draw(NUMBERS)
        self.counted = rng.choice(COUNTED)
        self.she = "she" if name in SHE else "he"
        self.her = "her" if name in SHE else "his"

    def fact(self, kind):
        """The fact in the one wording that documents and answers share: (frame, value) pieces."""
        n = self.name
        return {
            "place": [(f"{n} went to the", 0), (f" {self.place}", 1)],
            "find": [(f"{n} found a", 0), (f" {self.colour} {self.thing}", 1)],
            "animal": [(f"{n} met a", 0), (f" {self.animal}", 1)],
            "food": [(f"{n} ate", 0), (f" {self.food}", 1)],
            "count": [(f"{n} counted", 0), (f" {self.number} {self.counted}", 1)],
            "give": [(f"{n} gave the {self.thing} to", 0), (f" {self.friend}", 1)],
        }[kind]

    def pick(self, rng, slot, options):
        """A phrase for `slot` that the document has not used yet, as long as there is one."""
        fresh = [i for i in range(len(options)) if (slot, i) not in self.told]
        if not fresh:
            fresh = list(range(len(options)))
            self.told.difference_update([(slot, i) for i in fresh])
        i = rng.choice(fresh)
        self.told.add((slot, i))
        return options[i]

    def sentence(self, rng, kind, plain):
        core = "".join(text for text, _ in self.fact(kind))
        if plain:
            return core + "."
        weather = rng.choice(WEATHER)
        before, after = {
            "place": ((f"One {weather} morning", f"On a {weather} day", f"It was a {weather} day when",
                       "Early in the morning", "After breakfast", "One day", "Last summer", "Long ago", "On Sunday"),
                      ("", "", " all alone", f" with {self.her} mother", " to look around", " for the first time")),
            "find": (("There", "Under a tree", "Near an old wall", "In the grass", "On the way", "Behind a door",
                      "Between two stones", "To everyone's surprise"),
                     ("", "", " that nobody wanted", " and picked it up", " and smiled", ", half hidden in the grass")),
            "animal": (("Then", "Soon", "A little later", "On the path", "By the water", "Around the corner"),
                       ("", "", " that was very friendly", " that wanted to play", " that looked hungry",
                        " with a soft voice")),
            "food": (("At noon", "For lunch", "Later", "In the afternoon", "In the shade", "Before going on,"),
                     ("", "", " and felt much better", " and was happy", " under a tree", " with a friend")),
            "count": (("While waiting,", "Then", "On the way back", "Just for fun,", "From a bench"),
                      ("", "", " and laughed", " before it was dark", " without a mistake")),
            "give": (("In the end", "In the evening", "At home", "The next day", "Before dinner"),
                     ("", "", " as a present", " with a smile", ", who was very happy")),
        }[kind]
        return f"{self.pick(rng, kind + ' before', before)} {core}{self.pick(rng, kind + ' after', after)}."

    def remark(self, rng, kind):
        """A sentence that carries no fact: it makes the document longer and nicer to read."""
        she, her, feeling = self.she, self.her, rng.choice(FEELINGS)
        She, him = she.capitalize(), "her" if she == "she" else "him"
        return self.pick(rng, kind, {
            "place": (f"The {self.place} was quiet, and the air smelled of rain.",
                      f"{She} had not been there for a long time.", f"{She} felt {feeling}, and the sun was warm.",
                      f"The wind was soft, and {she} sang a little song.",
                      "Nobody else was there, only the wind in the trees.",
                      "Everything there looked new and strange.",
                      f"{She} walked slowly and looked at everything."),
            "find": (f"It was small and old, but {she} liked it at once.", f"{She} put the {self.thing} in {her} bag.",
                     f"\"How pretty it is!\" {she} said.", f"{She} wondered who had lost it.",
                     f"It was the best {self.thing} {she} had ever seen.",
                     f"{She} cleaned the {self.thing} until it was bright again."),
            "animal": (f"\"Good morning,\" said the {self.animal}.", f"\"Where are you going?\" asked the {self.animal}.",
                       f"The {self.animal} was not afraid at all.", "They sat down together for a while.",
                       f"The {self.animal} stayed close to {him} all day.",
                       f"\"What a fine day!\" said the {self.animal}, and they walked on together.",
                       f"{She} told the {self.animal} a secret."),
            "food": ("It tasted very good.", f"{She} was so hungry that nothing was left.", f"It was {her} favourite food.",
                     "It was still warm.", f"{her.capitalize()} grandmother had made it.", "A few crumbs were left for the ants."),
            "count": (f"{She} wrote the number in a little book.", "That was more than the day before.",
                      f"{She} felt {feeling}.", "It took a long time.", "Nobody believed it at first."),
            "give": ("They laughed and went home together.", f"\"Thank you!\" said {her} friend.",
                     "It was a good day for both of them.", "That night they slept very well.",
                     "From that day on they were the best of friends."),
        }[kind])

    def story(self, rng, kinds, remarks, plain=False):
        out = []
        for kind in kinds:
            out.append(self.sentence(rng, kind, plain))
            if rng.random() < remarks:
                out.append(self.remark(rng, kind))
        return " ".join(out)

    def questions(self, kinds):
        """(question, answer pieces) for every fact that was told."""
        n, out = self.name, []
        ask = {"place": f"Where did {n} go?", "find": f"What did {n} find?", "animal": f"Which animal did {n} meet?",
               "food": f"What did {n} eat?", "count": f"How many {self.counted} did {n} count?",
               "give": f"Who got the {self.thing} from {n}?"}
        for kind in kinds:
            out.append((kind, ask[kind], self.fact(kind)))
        if "find" in kinds:
            out.append(("colour", f"What colour was the {self.thing} of {n}?",
                        [(f"The {self.thing} of {n} was", 0), (f" {self.colour}", 1)]))
        return out


def tell_kinds(rng, count, journey=True):
    """Facts in the order of a day: the place first, the present last; a present needs something found."""
    kinds = rng.sample(KINDS, min(count, len(KINDS)))
    if journey and "place" not in kinds:
        kinds[0] = "place"
    if "give" in kinds and "find" not in kinds:
        kinds[kinds.index("give")] = "find"
    middle = [k for k in kinds if k not in ("place", "give")]
    rng.shuffle(middle)
    return [k for k in kinds if k == "place"] + middle + [k for k in kinds if k == "give"]


def people(rng, count, split, names=NAMES):
    names = rng.sample(names, count + 1)
    taken, told = set(), set()
    return [Person(rng, name, taken, rng.choice([n for n in names if n != name]), split, told) for name in names[:count]]


def document(rng, token_target, split, names=NAMES):
    """A document of about `token_target` tokens (a fact sentence is about 9, a remark about 10) and its questions."""
    plain, remarks, facts, same = False, rng.choice((0.3, 0.6, 0.9)), (3, 6), None
    if token_target < 110:
        # Short documents teach to bind a fact to its person: most tell the same kinds of facts of everybody, so that
        # knowing the kind that is asked for is not enough.
        plain, remarks, facts = rng.random() < 0.5, rng.choice((0.0, 0.0, 0.3)), (1, 3)
        if rng.random() < 0.8:
            same = tell_kinds(rng, 1 if token_target < 60 else rng.randint(1, 2), False)
    cast = people(rng, min(14, max(4, token_target // 20)), split, names)
    stories, questions, used = [], [], 0
    for person in cast:
        kinds = same or tell_kinds(rng, rng.randint(*facts), token_target >= 120)
        while not same and len(kinds) > 1 and used + 10 * len(kinds) * (1 + remarks) > token_target + 10:
            kinds = kinds[:-1]
        text = person.story(rng, kinds, remarks, plain)
        cost = int(len(text) / 4.4)
        if stories and used + cost > token_target + 4:
            break
        used += cost
        stories.append(text)
        questions += person.questions(kinds)
    rng.shuffle(questions)
    return stories, questions


SEPARATORS = ("\n\n",) * 4 + ("\n", " ")
READY = "I have read it. What do you want to know?"
SYSTEM = ("You are a helpful assistant.", "Answer from the text.")


def question_sample(rng, token_target, split="train", names=NAMES, most=12):
    """A document and its first question in one user turn, then more questions, one a turn."""
    asked = min(most, max(1, token_target // 45))
    stories, questions = document(rng, token_target - 26 * asked if token_target > 100 else token_target - 28, split,
                                  names)
    text = "\n\n".join(stories) if token_target >= 100 else " ".join(stories)
    questions = questions[:asked]
    turns = [("system", [(rng.choice(SYSTEM), 0)])] if split == "train" and rng.random() < 0.05 else []
    separator = rng.choice(SEPARATORS) if split == "train" else "\n\n"
    if split == "train" and rng.random() < 0.1:     # the document first, the questions in turns of their own
        turns += [("user", [(text, PROMPT)]), ("assistant", [(READY, FRAME)])]
        text = ""
    for i, (kind, question, answer) in enumerate(questions):
        pieces = [(question, PROMPT)]
        if i == 0 and text:      # ".\n\n" is one token, so line breaks belong to the piece before them
            pieces = [(text, PROMPT), (" " + question, PROMPT)] if separator == " " else \
                [(text + separator, PROMPT), (question, PROMPT)]
        turns.append(("user", pieces))
        turns.append(("assistant", [(t, VALUE if v else FRAME) for t, v in answer] + [(".", FRAME)], kind))
    return turns


def recall_sample(rng, token_target, names=NAMES, bare=0.0):
    """Facts to be told again in another order: the densest practice in finding a fact by its person and kind.

    With probability `bare` only the last 0..3 words of the frame stand between name and value ("Ben rice.", "Ben the
    barn.", "Ben to the barn."). At 0 plain induction is enough; the mixture is the bridge to binding a value to a name
    some words back.
    """
    bare = rng.random() < bare
    kept = rng.randint(0, 3)
    kinds = [rng.choice(KINDS[:5])] if bare or token_target < 100 else tell_kinds(rng, rng.randint(1, 3), False)
    cast = people(rng, max(3, min(len(names) - 1, (token_target - 20) // (2 + (8 if bare else 16) * len(kinds)))), "train",
                  names)
    remarks = 0.0 if bare else rng.choice((0.0, 0.0, 0.3))
    plain = rng.random() < 0.5
    order = rng.sample(cast, len(cast))

    def frame_of(person, kind):
        words = person.fact(kind)[0][0].split(" ")
        return " ".join([words[0]] + words[1:][max(0, len(words) - 1 - kept):]) if bare else " ".join(words)

    told = [f"{frame_of(person, kinds[0])}{person.fact(kinds[0])[1][0]}." if bare else person.story(rng, kinds, remarks, plain)
            for person in cast]
    answer = []
    for person in order:
        for kind in kinds:
            value = person.fact(kind)[1][0]
            answer += [((" " if answer else "") + frame_of(person, kind), FRAME), (value, VALUE), (".", FRAME)]
    request = f"Tell me again about {', '.join(person.name for person in order)}."
    return [("user", [(f"{' '.join(told)} {request}", PROMPT)]), ("assistant", answer)]


def repeat_sample(rng, token_target):
    words = [rng.choice(WORDS) for _ in range(rng.randint(2, max(3, min(40, (token_target - 16) // 2))))]
    words[0] = rng.choice(NAMES)   # the other words are single tokens only after a space
    text = " ".join(words)
    return [("user", [(f"Repeat: {text}", PROMPT)]), ("assistant", [(text, VALUE)])]


def story_sample(rng):
    """A story on request, in which the person and the thing of the request come back; then perhaps questions about it."""
    person = people(rng, 1, "train")[0]
    kinds = tell_kinds(rng, 6)
    text = person.story(rng, kinds, rng.choice((0.5, 0.8)))
    turns = [("user", [(f"Tell me a story about {person.name} and a {person.colour} {person.thing}.", PROMPT)]),
             ("assistant", [(text, STORY)])]
    questions = person.questions(kinds)
    for kind, question, answer in rng.sample(questions, rng.choice((0, 1, 3))):
        turns += [("user", [(question, PROMPT)]),
                  ("assistant", [(t, VALUE if v else FRAME) for t, v in answer] + [(".", FRAME)], kind)]
    return turns


SMALL_TALK = (
    ("Hello!", "Hello! Give me a short story and ask me about it."),
    ("Hello.", "Hello! Give me a short story and ask me about it."),
    ("Hi!", "Hello! Give me a short story and ask me about it."),
    ("Who are you?", "I am ferry-tiny, a very small language model. I read short stories and answer questions about them."),
    ("What can you do?", "I can tell a short story, and I can answer questions about a story that you give me."),
    ("Thank you!", "You are welcome."),
)


def talk_sample(rng):
    question, answer = rng.choice(SMALL_TALK)
    return [("user", [(question, PROMPT)]), ("assistant", [(answer, STORY)])]
