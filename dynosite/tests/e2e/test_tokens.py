"""The page of API tokens in a browser."""

from playwright.sync_api import expect

from dynosite.accounts import tokens
from dynosite.tests.e2e.axe import violations


def test_token_is_made_shown_once_and_revoked(browser_page, committed_world):
    page, user = browser_page, committed_world.users["viewer"]
    page.sign_in(user)
    page.goto("/accounts/tokens/")
    page.get_by_label("Name").fill("nightly report")
    page.get_by_label("Lives for").select_option(label="30 days")
    page.get_by_role("button", name="Make the token").click()
    text = page.locator("#new-token").inner_text()
    assert tokens.holder(text).user == user
    assert violations(page) == []
    page.goto("/accounts/tokens/")
    expect(page.locator("#new-token")).to_have_count(0)
    row = page.get_by_role("row", name="nightly report")
    expect(row).to_contain_text(text[:9])
    row.get_by_role("button", name="Revoke nightly report").click()
    expect(row.get_by_role("cell").last).to_have_text("revoked")
    assert [token.revoked_at is not None for token in user.tokens.all()] == [True]
