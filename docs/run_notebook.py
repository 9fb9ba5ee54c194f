"""Run the cells of docs/notebook.ipynb and keep in it what they print and show.

    python docs/run_notebook.py

The tests run them the same way and compare. Jupyter is not needed: the cells are plain Python,
and a result shows itself by the methods that Jupyter asks for.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NOTEBOOK = Path(__file__).with_name("notebook.ipynb")


def outputs_of(notebook: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """Run the code cells one after the other; yield the outputs of each."""
    names: dict[str, Any] = {}
    for number, cell in enumerate(code_cells(notebook), 1):
        yield run("".join(cell["source"]), names, number)


def code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the cells that are code."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def run(source: str, names: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """Run one cell; return what it printed and what its last line shows, in Jupyter's form."""
    body = ast.parse(source).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    printed = io.StringIO()
    shown = None
    with contextlib.redirect_stdout(printed):
        exec(compile(ast.Module(body, []), f"cell {number}", "exec"), names)
        if isinstance(last, ast.Expr):
            shown = eval(compile(ast.Expression(last.value), f"cell {number}", "eval"), names)
    outputs: list[dict[str, Any]] = []
    if printed.getvalue():
        text = printed.getvalue().splitlines(keepends=True)
        outputs.append({"name": "stdout", "output_type": "stream", "text": text})
    if shown is not None:
        result = {"data": data_of(shown), "execution_count": number, "metadata": {}}
        outputs.append({"output_type": "execute_result", **result})
    return outputs


def data_of(shown: object) -> dict[str, Any]:
    """Return a result as HTML, as a picture, or as text if it knows no other way."""
    if hasattr(shown, "_repr_html_"):
        return {"text/html": shown._repr_html_().splitlines(keepends=True)}
    for kind in ("jpeg", "png"):  # the smaller first
        if hasattr(shown, f"_repr_{kind}_"):
            picture = getattr(shown, f"_repr_{kind}_")()
            return {f"image/{kind}": base64.b64encode(picture).decode("ascii")}
    return {"text/plain": repr(shown).splitlines(keepends=True)}


def main() -> None:
    """Run the notebook where it stands, and write it with its outputs."""
    notebook = json.loads(NOTEBOOK.read_text("utf-8"))
    os.chdir(NOTEBOOK.parent)
    results = outputs_of(notebook)
    for number, (cell, outputs) in enumerate(zip(code_cells(notebook), results, strict=True), 1):
        cell.update(execution_count=number, outputs=outputs)
    NOTEBOOK.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
