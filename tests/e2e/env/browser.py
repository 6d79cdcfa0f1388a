"""A real headless Chromium, Debian's, through its driver. Nothing is fetched for it, and it reaches
loopback alone.
"""

import json
import os
import shutil
from contextlib import contextmanager
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.common.exceptions import NoAlertPresentException, StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from .wait import until

ARGUMENTS = (
    "--headless=new", "--window-size=1280,900", "--lang=en-GB", "--force-color-profile=srgb", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--no-first-run", "--disable-default-apps",
)  # fmt: skip
SCRIPT_TIMEOUT_S = 300  # a script that scrolls thousands of rows, or looks at every element


def start():
    """Fails where there is no Chromium: only a browser shows the acts that it must not do."""
    driver, browser = shutil.which("chromedriver"), shutil.which("chromium")
    assert driver and browser, "chromium and chromium-driver are needed (compose/install.sh)"
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in ARGUMENTS + (("--no-sandbox",) if os.geteuid() == 0 else ()):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    started = webdriver.Chrome(options, webdriver.ChromeService(driver))
    started.set_script_timeout(SCRIPT_TIMEOUT_S)
    return started


class Page:
    """The page of a gateway, as a person sees it. Elements are found by their names."""

    def __init__(self, driver, address):
        self.driver, self.address = driver, address
        self.origin = f"http://{address}"

    def open(self, path="/"):
        self.driver.get(self.origin + path)
        return self

    def forget(self):
        """As a new tab."""
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        self.open("/icon.svg").script("sessionStorage.clear(); localStorage.clear()")
        self.logs("performance"), self.logs("browser")
        return self

    def enter(self, token):
        self.field("Token of your tenant").send_keys(token)
        self.button("Open").click()
        return self

    # What is there

    def script(self, text, *arguments):
        return self.driver.execute_script(text, *arguments)

    def find(self, css):
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def text(self, css):
        return self.find(css).text

    @property
    def dialog(self):
        """The open one, or None."""
        return next(iter(self.all("dialog[open]")), None)

    def button(self, name, within=None):
        """By the name that a screen reader says; in the dialog where one is open."""
        return self._named(within or self.dialog or self.driver, "button", name)

    def field(self, name, within=None):
        return self._named(within or self.dialog or self.driver, "input, select, textarea", name)

    def _named(self, within, css, name):
        def search():
            try:
                shown = [each for each in within.find_elements(By.CSS_SELECTOR, css) if each.is_displayed()]
                return next((each for each in shown if each.accessible_name == name), None)
            except StaleElementReferenceException:
                return None

        return until(search, 5, f"{css} called {name!r}")

    def fill(self, name, text):
        field = self.field(name)
        field.clear()
        field.send_keys(text)

    def choose(self, name, text):
        Select(self.field(name)).select_by_visible_text(text)

    def set_time(self, name, text):
        """Sets the value as a picker would: keys would follow the order of the language."""
        self.script("arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input', { bubbles: true }))", self.field(name), text)

    # Views

    def view(self, hash):
        """The one that the address names: "#/deliveries"."""
        self.script("location.hash = arguments[0]", hash)
        return self

    def go(self, name):
        """By a link of the navigation."""
        self._named(self.driver, "nav a", name).click()
        return self

    def search(self, id):
        self.fill("Id of a credential, delivery, command or event", id)
        self.button("Search").click()
        return self

    def texts(self, css):
        """What each of them says, at one moment: a view may be drawn anew."""
        return self.script("return [...document.querySelectorAll(arguments[0])].map(each => each.innerText)", css)

    # The list

    def rows(self):
        """The texts of each row: {url: (events, state, pending, dead)}"""
        read = """return [...document.querySelectorAll('#rows tr')].map(row => [row.querySelector('.url span').textContent,
            ...[...row.cells].slice(1, 5).map(cell => cell.textContent)])"""
        return {url: (events, state, pending, dead) for url, events, state, pending, dead in self.script(read)}

    def wait_row(self, url, state=None, pending=None, dead=None):
        wanted = (state, pending, dead)

        def there():
            row = self.rows().get(url)
            return row if row and all(want in (None, have) for want, have in zip(wanted, row[1:], strict=True)) else None

        return until(there, 15, f"{url} as {wanted}")

    def act(self, name, url):
        """A button of a webhook's row."""
        self.wait_row(url)
        self.button(f"{name} {url}").click()

    def wait_text(self, css, text, timeout=15):
        return until(lambda: text in self.text(css) and self.text(css), timeout, f"{text!r} in {css}")

    def wait_closed(self):
        until(lambda: self.dialog is None, 10, "the dialog to close")

    # What it did

    def logs(self, kind):
        return self.driver.get_log(kind)

    def requests(self):
        """[{"url", "method", "headers"}] since the last time."""
        messages = [json.loads(entry["message"])["message"] for entry in self.logs("performance")]
        return [message["params"]["request"] for message in messages if message["method"] == "Network.requestWillBeSent"]

    def alert(self):
        try:
            return self.driver.switch_to.alert.text
        except NoAlertPresentException:
            return None

    def is_foreign(self, url):
        return urlsplit(url).netloc != self.address and not url.startswith("data:")

    # Hands

    def press(self, *keys):
        webdriver.ActionChains(self.driver).send_keys(*keys).perform()

    def focused(self):
        """(name, whether something is drawn around it)"""
        element = self.driver.switch_to.active_element
        return element.accessible_name, element.value_of_css_property("outline-style") != "none"

    def offline(self, is_offline):
        conditions = {"offline": is_offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self.driver.execute_cdp_cmd("Network.emulateNetworkConditions", conditions)

    def prefer(self, scheme):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})

    @contextmanager
    def narrow(self, width):
        """As on a telephone."""
        self.resize(width, 800)
        try:
            yield self
        finally:
            self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    def resize(self, width, height):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
