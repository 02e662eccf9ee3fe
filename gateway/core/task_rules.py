"""The built-in phrases: which words speak for which task, and which make a prompt hard.

Owns data only; `classify` owns their meaning (a leading newline: at the start of a line; a trailing `*`: a stem).
Written by hand from what people type, in English and, for the plainest requests, German, French, Spanish and Chinese.
Weights: 3 and more decide, 2 is strong, 1 is a hint. What a change does to quality is told by the prompts in the
tests, and to time by `scripts/measure_classify.py`.
"""

from gateway.core.classify import Difficulty, Pair, TaskPhrases, TaskRules, WordGroup

# fmt: off

_CODE = (
    TaskPhrases("code", 6.0, (
        "\ndef ", ">>> ",
    )),
    TaskPhrases("code", 4.0, (
        "traceback (most recent call last)", "```", "\nselect ", "\n#include",
    )),
    TaskPhrases("code", 3.0, (
        "stack trace", "stacktrace", "\nclass ", "\nimport ", "\nconst ", "\nfunction ", "\npublic class",
        "unit test*", "refactor*", "segfault", "sql query", "requête sql", "consulta sql", "git commit", "git rebase",
        "git merge", "regex*", "regular expression*", "doctest*", "docstring*",
    )),
    TaskPhrases("code", 2.0, (
        "python", "javascript", "typescript", "java", "c++", "c#", "golang", "rust", "kotlin", "php", "ruby on rails",
        "sql", "bash", "html", "css", "react", "vue", "angular", "node.js", "django", "flask", "fastapi", "pandas",
        "numpy", "pytorch", "kubernetes", "dockerfile", "docker", "docker compose", "postgres*", "mysql", "mongodb",
        "graphql", "webpack", "npm", "pip install", "git", "github actions", "debug*", "typeerror", "keyerror",
        "valueerror", "nullpointerexception", "syntax error", "compile error", "compiler", "segmentation fault",
        "stack overflow", "source code", "code review", "pull request", "code snippet", "codebase", "rest api",
        "api endpoint", "thread-safe", "memory leak", "time complexity", "def __init__", "self.", "print(",
        "    return ", "programm*", "quellcode", "编程", "代码", "函数", "脚本", "写一个程序", "正则表达式",
    )),
    TaskPhrases("code", 1.0, (
        "code", "script", "function", "algorithm", "linked list", "hash map", "dictionary", "dictionaries", "json",
        "yaml", "csv", "in go", "bug", "compile", "exception", "shell", "terminal", "command line", "localhost",
        "port", "null", "boolean", "database", "datenbank", "fonction", "función", "funktion", "code python",
        "数据库",
    )),
)

_MATH = (
    TaskPhrases("math", 3.0, (
        "\\frac", "\\sqrt", "\\int", "\\sum", "\\begin{", "\\boxed", "solve for x", "solve for", "$$", "\\cdot",
        "\\leq", "\\geq", "\\beta", "\\alpha", "\\theta", "\\pi", "\\quad", "\\infty", "greatest common divisor",
        "integral of", "derivative of", "determinant of", "square root of", "prove that", "show that", "equation",
        "equations", "gleichung", "équation", "ecuación", "方程", "求它的", "square root", "raíz cuadrada",
        "racine carrée", "quadratwurzel", "berechne", "calcula", "calcule", "计算", "probability of",
        "probability that",
    )),
    TaskPhrases("math", 2.0, (
        "calculate", "compute", "integral", "derivative", "polynomial*", "matrix", "matrices", "eigenvalue*",
        "theorem", "divisible", "remainder", "triangle", "perimeter", "circumference", "radius", "hypotenuse",
        "logarithm", "prime number*", "integer*", "rational number*", "irrational", "real number*", "complex number*",
        "continuous function", "probability", "fair die", "dice", "percent of", "% of", "standard deviation",
        "variance", "least common multiple", "find the number of", "to the nearest", "hyperbola", "parabola",
        "ellipse", "subset*", "which number is", "larger number", "smaller number", "greater number", "modulo",
        "arithmetic", "geometric", "fraction", "how many hours", "how much change", "how much money", "how many more",
        "how many total", "in total", "altogether", "per hour", "mph", "km/h", "mathe*", "integral von",
        "wahrscheinlichkeit", "probabilidad", "probabilité", "面积", "周长", "概率", "积分", "求导", "等于多少",
        "limit of", "$x", "$n", "$a", "$f", "x^2", "x²", "f(x)", "smallest positive", "positive integer*",
        "units digit", "real part",
    )),
    TaskPhrases("math", 1.5, (
        "how many", "what is the price", "in all", "per day", "per week", "years old", "as many", "one-third",
    )),
    TaskPhrases("math", 0.7, (  # everyday words: one of them alone must not send a request to the largest models
        "solve", "evaluate", "simplify", "find the value", "find all", "how much", "sum of", "product of", "average",
        "each", "twice", "half", "total", "times as many", "half as many", "more than", "left", "remaining", "answer",
        "degrees", "angle", "area", "volume", "ratio", "cost", "costs", "buys", "sells", "cents", "dollars", "résous",
        "resuelve", "löse", "wie viel", "combien", "cuánto es", "多少",
    )),
)

_REASONING = (
    TaskPhrases("reasoning", 3.0, (
        "step by step", "schritt für schritt", "étape par étape", "paso a paso", "一步一步", "逐步",
        "explain your reasoning", "logic puzzle", "pros and cons", "trade-off*", "tradeoff*", "who is the liar",
        "is lying", "necessarily", "can we conclude", "peut-on en déduire", "does the conclusion follow", "premises",
        "think carefully", "think it through", "think through", "using the clues", "clues", "riddle", "brain teaser",
        "logical fallacy", "weigh the", "los pros y los contras", "vor- und nachteile", "le pour et le contre",
        "推理",
    )),
    TaskPhrases("reasoning", 2.0, (
        "reasoning", "deduce", "infer", "logically", "logical", "assumptions", "argument", "conclusion", "compare",
        "contrast", "evaluate the claim", "what would happen if", "what would be the likely", "consequences",
        "implications", "hypothe*", "scenario", "recommend one", "balance scale", "cross a river", "cross the river",
        "in a row", "are different", "has a different", "truth", "lies", "tells the truth", "taller than",
        "older than", "shorter than", "younger than", "heavier", "strategy", "analy*", "justify", "begründe",
        "raisonnement", "conclusión", "razona", "analiza", "critically", "root cause", "should we", "should a",
        "which option", "decision", "比", "谁最", "how can i measure", "counterexample",
    )),
    TaskPhrases("reasoning", 1.0, (
        "if all", "all of the", "some of", "exactly one", "at least one", "next to", "sits", "lives in",
        "different characteristics", "must be true", "therefore", "why", "given that", "neben", "si tous", "certains",
        "statement 1", "statement 2", "morally wrong", "according to", "is it possible",
    )),
)

_CREATIVE = (
    TaskPhrases("creative", 3.0, (
        "haiku", "limerick", "sonnet", "short story", "bedtime story", "fairy tale", "lyrics", "tagline", "slogan",
        "screenplay", "role play", "roleplay", "pretend you are", "pretend to be", "pretend you're",
        "once upon a time", "gedicht", "märchen", "poème", "chanson", "poesía", "poema", "cuento", "canción",
        "histoire courte", "诗", "故事", "小说", "歌词", "continue this", "continue the story", "fan fiction",
        "plot twist",
    )),
    TaskPhrases("creative", 2.0, (
        "poem", "joke", "jokes", "blog post", "catchy", "vivid", "poetic", "imagine", "dialogue", "monologue",
        "speech", "essay", "act as", "you are now", "come up with", "brainstorm", "creative", "metaphor*", "rhyme*",
        "rhyming", "verse*", "invent", "inventa", "kurzgeschichte", "geschichte über", "witz", "names for", "caption",
        "toast", "parody", "in the style of", "product description",
    )),
    TaskPhrases("creative", 1.0, (
        "story", "stories", "song", "novel", "fictional", "character", "write", "compose", "describe", "tell me a",
        "continue", "ideas for", "headline", "advert*", "campaign", "brand",
    )),
)

_SUMMARIZATION = (
    TaskPhrases("summarization", 4.0, (
        "summari*", "tl;dr", "tldr", "key takeaways", "key points", "main points", "main ideas", "executive summary",
        "brief summary", "the gist", "fasse*", "zusammenfass*", "zusammenfassung", "résume", "résumer", "résumé de",
        "resume el", "resume este", "resumen", "总结", "概括", "摘要", "condense", "boil down", "mainly about",
        "recap", "in a nutshell", "meeting minutes",
    )),
    TaskPhrases("summarization", 2.5, (
        "summary", "shorten", "abstract", "bullet points", "one paragraph", "in one sentence", "in two sentences",
        "in three sentences", "two sentences", "100 words", "200 words", "in plain words", "cinq lignes", "main idea",
        "without losing", "digest", "overview of this", "abridge*",
    )),
    TaskPhrases("summarization", 0.7, (
        "the following article", "the article below", "this article", "this report", "this paper", "transcript",
        "thread", "the text below",
    )),
)

_CLASSIFICATION = (
    TaskPhrases("classification", 4.0, (
        "\nclassif*", "classify", "\ncategori*", "categorize the*", "categorise the*", "categorize each", "sentiment",
        "spam", "toxic", "entailment", "entails", "label each", "label the", "label this", "which category",
        "which class", "positive or negative", "positive, negative", "fact or opinion", "positif ou négatif",
        "clasifica", "classe ce", "classe cette", "kategorie zu", "ordne die", "klassifi*", "noticia u opinión",
        "分类", "情感", "正面还是负面", "intent of", "detect the intent", "topic of",
    )),
    TaskPhrases("classification", 2.5, (
        "\ntag this", "\ntag each", "\ntag the", "\nlabel", "assign a", "assign each", "assign one", "one of:",
        "one of the following categories", "belong to", "true or false", "answer yes or no", "yes or no", "offensive",
        "hate speech", "decide whether", "determine whether", "determine if", "rate the", "contradiction", "stimmung",
        "正面", "负面", "priority", "urgent",
    )),
    TaskPhrases("classification", 1.2, (
        "positive", "negative", "neutral", "classified", "classification", "categories", "opinion", "unhappy",
    )),
)

_EXTRACTION = (
    TaskPhrases("extraction", 4.0, (
        "extract", "extracting", "extrahier*", "extrais", "extraire", "extrae", "extraer", "提取", "抽取",
        "named entit*", "pull out", "action items", "key-value", "list every person", "list all the",
        "mentioned in the", "appear in the following", "appears in the following", "parse this",
        "parse the following",
    )),
    TaskPhrases("extraction", 2.5, (
        "as json", "to json", "in json", "json with", "json object", "into a table", "comma-separated list",
        "find all the", "list all", "list every", "identify all", "identify the", "grab the", "get the", "pull the",
        "from the passage", "from this text", "from the text", "from the following", "in this document",
        "in the text below", "fill in the fields", "aus dem folgenden text", "de ce texte", "del siguiente",
        "下面的文本中",
    )),
    TaskPhrases("extraction", 1.0, (
        "fields", "columns", "receipt", "invoice", "resume", "names", "dates", "amounts", "order number",
        "job posting", "given this", "given the following",
    )),
)

_TRANSLATION = (
    TaskPhrases("translation", 5.0, (
        "translat*", "übersetz*", "tradui*", "traduc*", "翻译", "how do you say", "how do i say", "how would you say",
        "wie sagt man", "comment dit-on", "cómo se dice", "怎么说", "english to", "german to", "french to",
        "spanish to", "to english:", "into english", "into german", "into french", "into spanish", "into chinese",
        "into japanese", "ins englische", "ins deutsche", "auf englisch", "auf deutsch", "en anglais", "al inglés",
        "译成",
    )),
    TaskPhrases("translation", 4.0, (
        "french word", "german word", "spanish word", "italian word", "japanese word", "english word", "latin word",
        "in english mean*",
    )),
    TaskPhrases("translation", 2.0, (
        "mean in english", "mean in spanish", "mean in french", "mean in german", "subtitles", "localize", "localise",
        "native speaker",
    )),
)

_FACTUAL = (
    TaskPhrases("factual", 2.0, (
        "\nwho", "\nwhen", "\nwhere", "\nwhich", "\nin what year", "\nin which", "\nwhat year", "\nwhat is",
        "\nwhat are", "\nwhat was", "\nwhat were", "\nwhat causes", "\nwhat's the", "\nhow tall", "\nhow old",
        "\nhow far", "\nhow big", "\nhow long", "\nhow does", "\nhow do", "\ndefine", "\nname the", "\nwer", "\nwann",
        "\nwo", "\nwas ist", "\nwelche*", "\nqui", "\nquelle", "\nquel", "\nquand", "\noù", "\nqu'est-ce", "\nquién",
        "\ncuándo", "\ndónde", "\nqué es", "\nen qué", "\n¿quién", "\n¿cuándo", "\n¿dónde", "\n¿qué es", "\n¿en qué",
        "\n¿cuál", "哪一", "是什么", "是谁", "什么时候", "capital of", "president of", "population of",
        "definition of", "meaning of", "invented", "discovered", "author of", "born in", "hauptstadt", "capitale",
        "首都",
    )),
    TaskPhrases("factual", 0.6, (
        "who", "whose", "which", "what", "whats", "where", "when", "named after", "famous",
    )),
    TaskPhrases("factual", 1.2, (
        "\nis the", "\ndoes", "\nare", "\nexplain what", "\nexplain how", "\nwhy is", "\nwhy do", "\nwhy does",
        "\nhow many", "of which", "in which", "on which", "for which", "to which", "tell me about", "history of",
        "difference between", "choose the correct", "which of the following", "best answer", "multiple choice",
        "is known as", "refers to", "trivia", "facts about", "century", "world war", "species", "country",
        "wikipedia",
    )),
)

_EMAIL = (
    TaskPhrases("email", 3.0, (
        "cover letter", "resignation letter", "out-of-office", "out of office", "thank-you note", "thank you note",
        "follow-up email", "bewerbungsschreiben", "lettre de motivation", "carta de presentación", "邮件", "辞职信",
        "how should i reply", "how do i reply", "reply to this", "respond to this", "reply to the following",
        "respond to the following", "subject line", "letter to", "newsletter",
    )),
    TaskPhrases("email", 1.5, (
        "email", "e-mail", "mail", "emails", "correo", "courriel", "letter", "reply", "inbox", "recipient",
        "sincerely", "best regards", "kind regards", "memo",
    )),
    TaskPhrases("email", 0.7, (
        "polite", "politely", "professional", "friendlier", "decline", "invitation", "boss", "landlord", "customer",
        "supplier", "dear",
    )),
)

_CHAT = (
    TaskPhrases("chat", 2.5, (
        "\nhi", "\nhello", "\nhey", "\nthanks", "\nthank you", "\nok", "\nokay", "\ngood morning", "\ngood evening",
        "\ngood night", "\nhallo", "\nsalut", "\nbonjour", "\nhola", "\n¡hola", "你好", "谢谢", "how are you",
        "what's up", "how's it going", "wie geht*", "ça va", "qué tal", "are you a", "are you real", "do you like",
        "do you feel", "do you have", "who are you", "what can you do", "your name", "what do you think", "i'm bored",
        "i feel", "i just want to talk", "just want to talk", "\nsorry", "\nnice", "\ncool", "\nlol", "\nyes", "\nno",
        "\nbye", "see you", "have a nice day", "my sister", "my friend", "my girlfriend", "my boyfriend", "my wife",
        "my husband", "rough day", "should i get", "for the weekend", "cheer me up", "let's talk", "lonely",
    )),
)

_GROUPS = (
    WordGroup("write", (
        "write", "writing", "create", "make", "implement", "develop", "build", "complete", "draft", "compose",
        "craft", "generate", "give me", "prepare", "need", "help me", "rewrite", "fix", "add", "schreib", "schreibe",
        "verfasse", "erstelle", "écris", "rédige", "crée", "escribe", "redacta", "crea", "写", "帮我写",
    )),
    WordGroup("program", (
        "function", "program", "script", "method", "class", "api", "algorithm", "app", "website", "web page", "query",
        "component", "library", "cache", "parser", "decorator", "loop", "test", "tests", "code", "funktion",
        "programm", "skript", "klasse", "fonction", "programme", "requête", "función", "programa", "函数", "程序",
        "脚本", "代码",
    )),
    WordGroup("mail", (
        "email", "e-mail", "mail", "letter", "reply", "message", "note", "invitation", "correo", "carta", "courriel",
        "lettre", "brief", "邮件", "信",
    )),
    WordGroup("piece", (
        "story", "poem", "song", "novel", "essay", "speech", "joke", "dialogue", "article about", "blog", "post",
        "tweet", "script for", "names", "ad", "play", "scene", "lines", "sentence", "sentences", "paragraph", "童话",
        "故事", "诗", "geschichte", "histoire", "historia",
    )),
    WordGroup("put", (
        "word", "words", "phrase", "say", "put", "render", "rewrite", "give", "mean", "word for", "write",
        "french word", "text", "sentence", "this", "convert",
    )),
    WordGroup("language", (
        "in english", "in german", "in french", "in spanish", "in italian", "in portuguese", "in dutch", "in russian",
        "in chinese", "in mandarin", "in japanese", "in korean", "in arabic", "in hindi", "in polish", "in turkish",
        "in latin", "formal german", "to english", "to german", "to french", "to spanish", "to portuguese",
        "to chinese", "to japanese", "to russian",
    )),
    WordGroup("reply", (
        "reply", "respond", "answer",
    )),
    WordGroup("first choice", (
        "\na)", "\na.", "\na:", " a) ", " a. ", "\n(a)", "(1)",
    )),
    WordGroup("second choice", (
        "\nb)", "\nb.", "\nb:", " b) ", " b. ", "\n(b)", "(2)",
    )),
    WordGroup("why", (
        "why", "what is wrong", "what's wrong", "how can i", "how do i", "how to", "cómo puedo", "comment",
        "wie kann ich",
    )),
    WordGroup("quantity", (
        "how many", "how much", "what is the total", "what percentage", "how long",
    )),
    WordGroup("dealing", (
        "each", "per", "every", "buys", "sells", "cost", "costs", "gives", "has", "had", "have", "twice", "half",
        "times", "more than", "left",
    )),
)

_PAIRS = (
    Pair("write", "program", "code", 4.0, within_chars=50),
    Pair("why", "program", "code", 1.5, within_chars=70),
    Pair("write", "mail", "email", 3.0, within_chars=70),
    Pair("reply", "mail", "email", 2.0, within_chars=70),
    Pair("write", "piece", "creative", 2.5, within_chars=50),
    Pair("put", "language", "translation", 3.0, within_chars=160),
    Pair("first choice", "second choice", "factual", 1.5, within_chars=300),
    Pair("dealing", "quantity", "math", 2.5, within_chars=400),
    Pair("quantity", "dealing", "math", 1.0, within_chars=120),
)

_DIFFICULTY = (
    Difficulty(1.5, (
        "prove that", "prove", "proof", "rigorous*", "optimi*", "optimal", "step by step", "architecture", "design a",
        "distributed", "concurren*", "race condition", "deadlock", "debug*", "traceback (most recent call last)",
        "multi-step", "trade-off*", "tradeoff*", "time complexity", "np-hard", "theorem", "lemma", "eigenvalue*",
        "integral", "differential equation*", "logic puzzle", "clues", "critically", "formal proof", "edge cases",
        "beweise", "démontre", "demuestra", "证明", "优化",
    )),
    Difficulty(0.7, (
        "must not", "must", "ensure", "exactly", "constraint*", "at least", "at most", "without using", "in detail",
        "detailed", "comprehensive", "explain your reasoning", "justify", "compare", "analy*", "refactor*",
        "algorithm", "implement", "thread-safe", "derive", "given that", "assume", "suppose", "such that", "for all",
        "\n1.", "\n2.", "\n3.", "\n- ", "multiple", "each", "```", "\\frac", "\\sum", "\\int", "probability",
        "polynomial*", "statement 1", "legal", "diagnos*", "patient", "contract", "strategy",
    )),
    Difficulty(-1.0, (
        "hi", "hello", "thanks", "thank you", "\nok", "define", "what is the capital", "capital of", "in one word",
        "yes or no", "simple", "simply", "quick", "briefly", "short", "easy", "你好", "hallo", "hola", "salut",
        "tl;dr",
    )),
)

_BASE_DIFFICULTY = (
    ("code", 0.45),
    ("math", 0.45),
    ("reasoning", 0.5),
    ("creative", 0.3),
    ("summarization", 0.2),
    ("classification", 0.15),
    ("extraction", 0.2),
    ("translation", 0.15),
    ("factual", 0.2),
    ("email", 0.15),
    ("chat", 0.05),
)
# fmt: on

DEFAULT_RULES = TaskRules(
    phrases=(
        *_CODE,
        *_MATH,
        *_REASONING,
        *_CREATIVE,
        *_SUMMARIZATION,
        *_CLASSIFICATION,
        *_EXTRACTION,
        *_TRANSLATION,
        *_FACTUAL,
        *_EMAIL,
        *_CHAT,
    ),
    groups=_GROUPS,
    pairs=_PAIRS,
    difficulty=_DIFFICULTY,
    base_difficulty=_BASE_DIFFICULTY,
)
