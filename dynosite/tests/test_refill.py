"""What was typed goes back into the form that it came from, and nothing else of the page changes."""

import pytest

from dynosite.lib.refill import refill

PAGE = """<!doctype html><body><form method="post" action="/other/"><input name="note" value="theirs"></form>
<form id="f" class="form" method="post">
<input type="hidden" name="csrfmiddlewaretoken" value="fresh"><input type="hidden" name="version" value="4">
<input type="text" name="note" value="old" required>
<textarea name="text" rows="3">
before</textarea>
<select name="test"><option value="1">One<option value="2" selected>Two</option></select>
<select name="many" multiple><option value="1" selected>One</option><option value="2">Two</option></select>
<label><input type="checkbox" name="notify" checked></label><input type="checkbox" name="urgent" value="yes">
<input type="radio" name="drive" value="awd"><input type="radio" name="drive" value="2wd" checked>
<input name="day" value=""><input name="day" value="">
<input type="password" name="old_word" value=""><input type="file" name="book">
<button name="step" value="save">Save</button></form><input name="beside" form="f" value=""></body>"""
TYPED = {
    "version": ["3"],
    "note": ['Q&A "x" <b>'],
    "text": ["</textarea><script>"],
    "test": ["1"],
    "many": ["2"],
    "urgent": ["yes"],
    "drive": ["awd"],
    "day": ["2026-11-30", "2026-12-01"],
    "beside": ["b"],
    "step": ["save"],
    "old_word": ["secret"],
    "csrfmiddlewaretoken": ["stale"],
}


def filled(typed=TYPED, text=PAGE, **more):
    return refill(text, page="/things/new/", action="/things/new/", typed=typed, **more)


@pytest.mark.parametrize(
    "part",
    [
        'name="csrfmiddlewaretoken" value="fresh"',
        '<input type="hidden" name="version" value="3">',
        '<input type="text" name="note" value="Q&amp;A &quot;x&quot; &lt;b&gt;" required>',
        ">\n&lt;/textarea&gt;&lt;script&gt;</textarea>",
        '<option value="1" selected>One<option value="2">Two</option>',
        '<option value="1">One</option><option value="2" selected>',
        '<input type="checkbox" name="notify">',
        '<input type="checkbox" name="urgent" value="yes" checked>',
        '<input type="radio" name="drive" value="awd" checked><input type="radio" name="drive" value="2wd">',
        '<input name="day" value="2026-11-30"><input name="day" value="2026-12-01">',
        '<input type="password" name="old_word" value=""><input type="file" name="book">',
        '<input name="beside" form="f" value="b">',
        '<form method="post" action="/other/"><input name="note" value="theirs"></form>',
    ],
)
def test_each_kind_of_control(part):
    assert part in filled().text


def test_all_of_it_found_a_place_and_the_notice_stands_within_the_form():
    result = filled()
    assert result.left_over == {}
    assert '<form id="f" class="form" method="post"><p>back</p>\n' in result.with_notice("<p>back</p>")


def test_what_found_no_place_is_handed_back():
    assert filled(TYPED | {"gone": ["words", ""], "test": ["99"]}).left_over == {"gone": ["words"], "test": ["99"]}


def test_the_form_of_a_list_is_told_by_what_it_hides():
    rows = "".join(
        f'<form method="post" action="/rows/"><input type="hidden" name="row" value="{row}"><input name="n"></form>'
        for row in (1, 2, 3)
    )
    result = refill(rows, page="/list/", action="/rows/", typed={"row": ["2"], "n": ["x"]})
    assert result.text.count('value="x"') == 1
    assert 'value="2"><input name="n" value="x">' in result.text
    assert (
        result.with_notice("!").count(
            '<form method="post" action="/rows/">!<input type="hidden" name="row" value="2"'
        )
        == 1
    )


@pytest.mark.parametrize(
    "form",
    ['<form action="/things/new/">', '<form method="post" action="/elsewhere/">', '<form hx-get="/things/new/">'],
)
def test_no_other_form_is_filled(form):
    assert refill(f'{form}<input name="note"></form>', page="/x/", action="/things/new/", typed=TYPED) is None


def test_a_form_that_htmx_posts_is_one():
    text = '<form hx-post="/things/new/"><input name="note"></form>'
    assert 'name="note" value="Q&amp;A' in refill(text, page="/x/", action="/things/new/", typed=TYPED).text
