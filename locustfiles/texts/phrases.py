"""Phrases that messages are made of, by what is difficult about them.

None begins or ends with white space: an app may trim what it is sent, and that is no fault.
"""

PLAIN = (
    "ok",
    "yes",
    "on my way",
    "thanks!",
    "see you at ten",
    "Did you get the keys?",
    "I'll be ten minutes late, please start without me.",
    "The train is stuck again between the two stations, as always on a Monday.",
    "Could you send me the address once more?",
    "Let's do it on Thursday then, same place, and bring the drawings.",
    "No idea, ask Maria.",
    "That was the best soup I have had in years, you must give me the recipe.",
    "I have read it twice now and still do not see what they want from us.",
    "Call me when you are home.",
    "C:\\temp\\report.txt is 100% empty; see https://example.com/a?b=c&d=e#f",
)
EMOJI = (
    "😂",
    "👍🏽 perfect",
    "happy birthday 🎂🎉🥳",
    "the family 👨‍👩‍👧‍👦 says hi",
    "flags: 🇳🇴🇯🇵🇧🇷",
    "❤️❤️❤️",
    "running late 🏃🏿‍♀️💨 sorry",
)
RIGHT_TO_LEFT = (
    "مرحبا، كيف حالك اليوم؟",
    "שלום, ניפגש מחר בעשר",
    "سأصل في الساعة 10:30 إن شاء الله",
    "the word שָׁלוֹם means peace",
    "قال: «نعم» ثم ذهب",
)
QUOTES = (
    'she said "never again" and left',
    "it's the neighbours' dog",
    "`SELECT 'x''; --` is what I typed",
    "„Gänsefüßchen“ und ‚halbe‘",
    '{"json": "in a \\"chat\\""}',
    "<b>not bold</b> &amp; not escaped",
)
LINES = (
    "shopping:\n- milk\n- bread\n- batteries",
    "first line\n\nthird line",
    "tab\there, and\r\na line end from Windows",
    "Dear all,\nthe meeting moves to 14:00.\nBest\nA.",
)
COMBINING = (
    "re\u0301sume\u0301 and r\u00e9sum\u00e9 are not the same bytes",
    "Vie\u0323\u0302t Nam",
    "z\u0351\u0343a\u0334l\u0321g\u0337o\u0338 is combining marks",
    "\u1112\u1161\u11ab\u1100\u1173\u11af in jamo, \ud55c\uae00 composed",
    "नमस्ते, कैसे हो?",
    "สวัสดีครับ ที่นี่",
)
EAST_ASIAN = (
    "今天晚上一起吃饭吗？",
    "了解しました。よろしくお願いします！",
    "𠮷野家で会おう",
    "지금 가고 있어요",
)

# How often each kind opens a message, out of 100.
KINDS: tuple[tuple[tuple[str, ...], int], ...] = (
    (PLAIN, 64),
    (EMOJI, 12),
    (RIGHT_TO_LEFT, 6),
    (QUOTES, 6),
    (LINES, 4),
    (COMBINING, 4),
    (EAST_ASIAN, 4),
)
