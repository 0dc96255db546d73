"""A person at the console, in a browser."""

from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.common.by import By

from conftest import until

PASSWORD = "a passphrase of the test"


class Person:
    """Opens pages of one product, reads them, fills and sends their forms by what is written on them."""

    def __init__(self, browser, product, group=None):
        self.browser, self.product, self.name = browser, product, group
        self.base = product.value("Console").removesuffix("/console")

    def open(self, path):
        self.browser.get(self.base + path)
        return self

    def group(self, path=""):
        return self.open(f"/console/groups/{self.name}{path}")

    @property
    def heading(self):
        return self.browser.find_element(By.TAG_NAME, "h1").text

    @property
    def text(self):
        return self.browser.find_element(By.TAG_NAME, "main").text

    @property
    def path(self):
        return self.browser.current_url.removeprefix(self.base)

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, f"main {selector}")

    def fill(self, name, value):
        field = self.browser.find_element(By.CSS_SELECTOR, f"main [name='{name}']:not([type='hidden'])")
        field.clear()
        field.send_keys(value)
        return self

    def choose(self, name, label):
        """Takes the option that reads `label` in a select field."""
        for option in self.all(f"select[name='{name}'] option"):
            if option.text == label:
                option.click()
                return self
        raise AssertionError(f"no {label} in {name}: {[option.text for option in self.all(f'select[name={name!r}] option')]}")

    def set_moment(self, name, value):
        """A date, or a date and a time, without regard to how Chromium lets them be typed."""
        field = self.browser.find_element(By.CSS_SELECTOR, f"main [name='{name}']")
        self.browser.run("arguments[0].value = arguments[1]", field, value)
        return self

    def pick(self, name, typed):
        """Types into a search field and takes the first title that is offered; answers that title."""
        self.fill(name, typed)
        option = until(lambda: self.all("[role='option']"))[0]
        title = option.find_element(By.TAG_NAME, "span").text
        option.click()
        return title

    def press(self, label):
        for button in self.all("button"):
            if button.text == label or button.get_attribute("aria-label") == label:
                return self.leave(button)
        raise AssertionError(f"no button {label} on {self.path}: {self.text}")

    def follow(self, label):
        for link in self.all("a"):
            if link.text == label:
                return self.leave(link)
        raise AssertionError(f"no link {label} on {self.path}: {self.text}")

    def leave(self, button):
        """Clicks and waits until the next page is there: Chromium says so only when no script has to be asked."""
        before = self.browser.find_element(By.TAG_NAME, "html")
        button.click()

        def arrived():
            try:
                before.is_enabled()
                return False
            except StaleElementReferenceException:
                pass
            except WebDriverException as leaving:
                # Between two pages Chromium knows neither.
                assert "does not belong to the document" in leaving.msg, leaving.msg
                return False
            return self.browser.find_elements(By.CSS_SELECTOR, "body > footer, .sign-in main section")
        until(arrived, 30)
        return self

    def sign_in(self, login="admin", password=PASSWORD):
        self.browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
        return self.open("/console/sign-in").fill("login", login).fill("password", password).press("Sign in")

    def enter(self):
        """As the administrator; at the first time by the password that the first start printed, which is good until one was set."""
        if getattr(self.product, "has_entered", False):
            return self.sign_in()
        self.sign_in(password=self.product.value("Password"))
        if self.path.startswith("/console/password"):
            self.fill("password", PASSWORD).press("Set password")
        self.product.has_entered = True
        return self
