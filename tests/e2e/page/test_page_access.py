"""The page by keyboard, for screen readers, in both colour schemes, on a narrow screen."""

import pytest
from selenium.webdriver.common.keys import Keys


def test_by_keyboard_alone(page, client, webhook):
    page.open()
    page.find("#token").click()
    page.press(client.token, Keys.ENTER)
    url = page.wait_row(webhook["url"], pending="0") and webhook["url"]
    assert page.script("return document.activeElement.id") == "main"
    page.script("document.querySelector('.skip').focus()")
    seen = []
    for _ in range(14):
        page.press(Keys.TAB)
        name, drawn = page.focused()
        assert drawn, f"nothing shows that {name!r} has the focus"
        seen.append(name)
    wanted = ["Leave", "Refresh", "New webhook", "Webhooks", *(f"{action} {url}" for action in ("Edit", "Disable", "Test", "Attempts", "Recover", "Delete"))]
    start = seen.index("Leave")
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
    assert [each.tag_name for each in entered.all("header, main")] == ["header", "main"] and len(entered.all("h1")) == 1
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


CONTRAST = """const rgb = text => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
const light = color => { const [r, g, b] = color.map(c => (c /= 255) <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
const ground = element => { for (; element; element = element.parentElement) { const c = getComputedStyle(element).backgroundColor; if (!/, 0\\)$/.test(c)) return rgb(c); } };
const ratio = (a, b) => (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
return [...document.querySelectorAll("h1, h2, h3, p, td, th, button, label, a, pre, .state, input")].filter(e => e.checkVisibility() && (e.textContent || e.value))
    .map(e => [e.outerHTML.slice(0, 80), ratio(light(rgb(getComputedStyle(e).color)), light(ground(e)))]).filter(([, ratio]) => ratio < 4.5);"""


@pytest.mark.parametrize(("scheme", "ground"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 22, 26)")])
def test_light_and_dark(entered, scheme, ground):
    """Every text stands out from its ground by 4.5 to 1. Source: WCAG 2.2 section 1.4.3."""
    entered.prefer(scheme)
    assert entered.find("body").value_of_css_property("background-color").replace("rgba", "rgb").replace(", 1)", ")") == ground
    assert not entered.script(CONTRAST)


def test_narrow(entered):
    """A telephone's width scrolls the table and never the page. Source: WCAG 2.2 section 1.4.10."""
    entered.resize(320, 640)
    try:
        wide = "return [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > 320 && !e.closest('.scroll')).map(e => e.outerHTML.slice(0, 80))"
        assert entered.script("return document.documentElement.scrollWidth") <= 320, entered.script(wide)
    finally:
        entered.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
