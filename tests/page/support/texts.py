"""What scorers are shown in tests: good answers and bad ones, hostile ones, and Markdown with what it is to become."""

QUESTION = "How do I read a large CSV file in Python without running out of memory?\n\nThe file has 40 million rows."
STREAMED = """Read it **in chunks**, so that only a part is in memory at a time:

```python
import csv

with open("large.csv", newline="") as file:
    for row in csv.DictReader(file):
        total += float(row["amount"])
```

If you use pandas:

1. Pass `chunksize` to `read_csv`, and work on each piece.
2. Name the columns that you need with `usecols`.
3. Say their types with `dtype`: `float32` takes half the memory of `float64`.

| way | memory | effort |
|---|---|---|
| `csv` | a row | little |
| pandas with `chunksize` | a chunk | little |
| DuckDB | bounded | one more package |

See [the documentation](https://pandas.pydata.org/docs/user_guide/io.html) for more."""
GENERAL = """Large files can be a challenge. There are several things to consider:

- **Memory**: make sure that your machine has enough memory.
- **Libraries**: *pandas* is a popular library for working with CSV files.
  - It has many functions.
  - It is well documented.
- **Hardware**: a faster disk may help.

> Always keep a backup of your data.

You can load the file with `pandas.read_csv("large.csv")` and then work with it. If it is too large,
consider a database."""

HOSTILE = [
    '<script>window.hacked=1</script><img src=x onerror="window.hacked=1">',
    '</div></pre></textarea></script><svg onload="window.hacked=1"></svg>'
    '<iframe srcdoc="<script>top.hacked=1</script>">',
    "[a link](javascript:window.hacked=1) <javascript:window.hacked=1> ![i](javascript:window.hacked=1)",
    "```html\n</code></pre><script>window.hacked=1</script>\n```\n~~~\n</pre>",
    '[x]("onmouseover="window.hacked=1) ![x](x" onerror="window.hacked=1) `<img src=x onerror=window.hacked=1>`',
    "# <img src=x onerror=window.hacked=1>\n\n| <script>window.hacked=1</script> | b |\n|---|---|\n"
    "| <b onclick=x>1</b> | 2 |",
    "the price is \u202e001 $\u202c today \u2066\u2067never closed, and \u202dmore",
    "x" * 200_000,
    "| " + " | ".join(str(number) for number in range(30)) + " |\n|" + "---|" * 30,
    "> " * 3_000 + "deep\n\n" + "- " * 3_000 + "deep",
]

# Before, a unit, after: made 400,000 characters long, they would take minutes if any rule looked at
# a line a number of times that grows with the line.
UNITS = (
    "*a ", "**a ", "`", "` ``", "[", "[](", "![a](", "_", "~~a", "> ", "- ", "| ", "\n- a", "\n>", "#", " ", "\n```",
)  # fmt: skip
ENDLESS = [
    *(("", unit, "") for unit in UNITS),
    ("", " ", "x"), ("# ", " ", "\u2028x"), ("[](", "(a)", ""), ("```", " ", "`"),
]  # fmt: skip

MARKDOWN = [
    ("plain\ntext", "<p>plain\ntext</p>"),
    ("a **b** *c* __d__ _e_ ~~f~~ ***g***", "<p>a <strong>b</strong> <em>c</em> <strong>d</strong> "
     "<em>e</em> <del>f</del> <em><strong>g</strong></em></p>"),
    ("**bold *both***", "<p><strong>bold <em>both</em></strong></p>"),
    ("2*3*4, snake_case_name, a * b * c, 5 ** 2", "<p>2*3*4, snake_case_name, a * b * c, 5 ** 2</p>"),
    ("**not closed, *closed*", "<p>**not closed, <em>closed</em></p>"),
    ("`a*b*` and ``x`y`` and `open", "<p><code>a*b*</code> and <code>x`y</code> and `open</p>"),
    (r"\*no\* \[x\] \( y \) C:\dir", r"<p>*no* \[x\] \( y \) C:\dir</p>"),
    ("# One\n## Two\n#no", "<h3>One</h3><h4>Two</h4><p>#no</p>"),
    ("a\n---\nb", "<p>a</p><hr><p>b</p>"),
    ("```py\nif a < b:\n    **x**\n```\nafter", "<pre><code>if a &lt; b:\n    **x**</code></pre><p>after</p>"),
    ("~~~\nnever closed", "<pre><code>never closed</code></pre>"),
    ("- a\n- b\n  - c\n\n  more\n- d", "<ul><li><p>a</p></li>"
     "<li><p>b</p><ul><li><p>c</p></li></ul><p>more</p></li><li><p>d</p></li></ul>"),
    ("3. a\n4. b\n   ```\n   x\n   ```", '<ol start="3"><li><p>a</p></li>'
     '<li><p>b</p><pre><code>x</code></pre></li></ol>'),
    ("1. a\n  - b\n2. c", "<ol><li><p>a</p><ul><li><p>b</p></li></ul></li><li><p>c</p></li></ol>"),
    ("It was in\n2020. A year.", "<p>It was in\n2020. A year.</p>"),
    ("> a\n> > b\n\nc", "<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote><p>c</p>"),
    ("| a | b |\n|:-:|---|\n| `x` | y\\|z |\n| 1 |", '<table><thead><tr><th scope="col">a</th>'
     '<th scope="col">b</th></tr></thead><tbody><tr><td><code>x</code></td><td>y|z</td></tr>'
     "<tr><td>1</td><td></td></tr></tbody></table>"),
    ("a | b, no table", "<p>a | b, no table</p>"),
    ("[*x*](https://e.example/a_(b))", '<p><span class="link"><em>x</em> <span class="url">(https://e.example/a_(b))</span></span></p>'),
    ("![cat](https://e.example/c.png)", '<p><span class="link">[image: cat] <span class="url">(https://e.example/c.png)</span></span></p>'),
    ("a\u202eb", "<p>a[U+202E]b</p>"),
    ("<b>x</b> &lt;", "<p>&lt;b&gt;x&lt;/b&gt; &amp;lt;</p>"),
]  # fmt: skip
