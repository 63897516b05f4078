"""The Python of docs/dialects.md, as it stands there."""

import pathlib
import re
import subprocess
import sys

from said import URL

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "dialects.md"


def test_the_example_answers():
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
    code = code.replace("http://localhost:8000", URL)
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ran.stderr, ran.stdout) == ("", "Paris.")
