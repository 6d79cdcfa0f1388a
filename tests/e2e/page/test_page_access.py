"""The page by keyboard, for screen readers, in both colour schemes, on a narrow screen."""

import pytest
from env import axe
from env.filled import VIEWS
from selenium.webdriver.common.keys import Keys


def test_by_keyboard_alone(page, client, webhook):
    page.open()
    page.find("#token").click()
    page.press(client.token, Keys.ENTER)
    url = page.wait_row(webhook["url"], pending="0") and webhook["url"]
    assert page.script("return document.activeElement.id") == "main"
    page.script("document.querySelector('.skip').focus()")
    seen = []
    for _ in range(15):
        page.press(Keys.TAB)
        name, drawn = page.focused()
        assert drawn, f"nothing shows that {name!r} has the focus"
        seen.append(name)
    search = ["Id of a credential, delivery, command or event", "Search", "Leave"]
    wanted = [*search, "Webhooks", "Deliveries", "Signing keys", "Refresh", "New webhook", "Table of webhooks", url]
    wanted += [f"{action} {url}" for action in ("Edit", "Disable", "Test", "Recover", "Delete")]
    start = seen.index(search[0])
    assert seen[start : start + len(wanted)] == wanted
    page.script("arguments[0].focus()", page.button(f"Disable {url}"))
    page.press(Keys.SPACE)
    page.wait_row(url, "Disabled")
    assert page.focused()[0] == f"Enable {url}", "the list is new, and the place in it the same"
    page.script("arguments[0].focus()", page.button(f"Delete {url}"))
    page.press(Keys.ENTER)
    assert page.dialog.accessible_name == "Delete this webhook?" and page.focused()[0] == "Cancel", "what is harmless comes first"
    for _ in range(6):
        page.press(Keys.TAB)
        inside = "return document.activeElement === document.body || document.querySelector('dialog[open]').contains(document.activeElement)"
        assert page.script(inside), "the focus stays in the dialog"
    page.press(Keys.ESCAPE)
    page.wait_closed()
    assert page.focused()[0] == f"Delete {url}", "back where it came from"


def test_for_screen_readers(entered, webhook):
    """Landmarks, one heading of each kind, names for all that can be used, and what is said when
    something happens.
    """
    assert entered.script("return document.documentElement.lang") == "en"
    assert [each.tag_name for each in entered.all("header, nav, main")] == ["header", "nav", "main"] and len(entered.all("h1")) == 1
    assert entered.find("#search").aria_role == "search" and entered.find("nav").accessible_name == "Views"
    unnamed = [
        each.get_attribute("outerHTML") for each in entered.all("button, input, select, a, [tabindex='0']") if each.is_displayed() and not each.accessible_name
    ]
    assert not unnamed
    roles = {css: entered.find(css).aria_role for css in ("#said", "#wrong", "#webhooks .scroll", "#webhooks table", "#webhooks th")}
    assert roles == {"#said": "status", "#wrong": "alert", "#webhooks .scroll": "region", "#webhooks table": "table", "#webhooks th": "columnheader"}
    entered.act("Edit", webhook["url"])
    assert entered.dialog.aria_role == "dialog" and entered.dialog.accessible_name == "Edit the webhook" and entered.focused()[0] == "URL"
    group = entered.find("#edit fieldset")
    assert (group.aria_role, group.accessible_name) == ("group", "Events")


SCHEMES = {"light": "rgb(246, 247, 249)", "dark": "rgb(17, 19, 24)"}


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing(filled, view):
    """Neither in light nor in dark colours, nor on a telephone."""
    filled.show(view)
    for scheme, ground in SCHEMES.items():
        filled.page.prefer(scheme)
        assert filled.page.find("body").value_of_css_property("background-color").replace("rgba", "rgb").replace(", 1)", ")") == ground
        assert axe.violations(filled.page.driver) == [], scheme
        with filled.page.narrow(380):
            assert axe.violations(filled.page.driver) == [], f"{scheme}, 380 px"


def test_axe_would_find_it(filled):
    """A label that is taken away, and a text that is hard to read."""
    filled.show("deliveries")
    filled.page.script("document.querySelector('label[for=query-status]').remove(); document.querySelector('#delivery-count').style.color = '#aaa'")
    assert {line.split(":")[0] for line in axe.violations(filled.page.driver)} == {"select-name", "color-contrast"}


@pytest.mark.parametrize("width", [320, 380])
@pytest.mark.parametrize("view", VIEWS)
def test_narrow(filled, view, width):
    """Nothing is cut or scrolls sideways. Source: WCAG 2.2 section 1.4.10."""
    filled.show(view)
    with filled.page.narrow(width) as page:
        wide = """const own = element => element.closest("pre, .unseen, .skip, thead, svg");
            return [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth && !own(e)).map(e => e.outerHTML.slice(0, 120))"""
        assert page.script(wide) == [] and page.script("return document.documentElement.scrollWidth") <= width
        assert page.script("return [...document.querySelectorAll('.scroll')].filter(box => box.scrollWidth > box.clientWidth).length") == 0


def test_a_story_by_keyboard_alone(filled):
    """From the search to a delivery that is sent again, and back."""
    page = filled.page
    filled.show("webhooks")
    page.script("document.querySelector('#search-id').focus()")
    page.press(filled.dead["subject"], Keys.ENTER)
    page.wait_text("#story-list", "503 Service Unavailable")
    assert page.focused()[0].startswith("The story of")
    for _ in range(30):
        page.press(Keys.TAB)
        name, drawn = page.focused()
        assert drawn, f"nothing shows that {name!r} has the focus"
        if name == f"Send again: delivery {filled.dead['id']}":
            break
    else:
        pytest.fail("the button was not reached")
    page.press(Keys.ENTER)
    page.wait_text("#wrong", "no longer kept")
    assert page.focused()[0] == f"Send again: delivery {filled.dead['id']}", "the focus stays"
    page.driver.back()
    page.wait_row(filled.webhooks[0]["url"])
    assert page.focused()[0] == "Webhooks"
