from django.contrib.auth import get_user_model


def test_browser_page_reaches_the_site(browser_page):
    answer = browser_page.goto("/healthz")
    assert answer.status == 200
    assert browser_page.inner_text("body") == '{"status": "ok"}'


def test_browser_page_signs_in_beside_the_orm(browser_page):
    user = get_user_model().objects.create_superuser("root", password="a long enough password")
    browser_page.sign_in(user)
    browser_page.goto("/admin/")
    assert "root" in browser_page.inner_text("#user-tools").lower()
