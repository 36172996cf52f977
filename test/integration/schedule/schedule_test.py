"""A schedule by the real clock and the real time zones: values, explain, doctor's advice, and mistakes in a file."""
import re
import unittest
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from support import ROOT, ServerTest, Weir, run_weir

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Chatham")


def entry(name, zone, windows):
    return f"  - {{name: {name}, namespaces: [shop], schedule: {{timeZone: {zone}, windows: [{windows}], otherwise: 2}}}}\n"


def around(zone):
    """Windows that are open now and closed now, a day long each, so that no test runs over their end."""
    now = datetime.now(ZoneInfo(zone))
    days = [(now + timedelta(days=offset)).strftime("%a").lower() for offset in range(-1, 3)]
    return (f'{{days: [{days[0]}, {days[1]}, {days[2]}], from: "00:00", to: "24:00", value: 8}}',
            f'{{days: {days[3]}, from: "00:00", to: "24:00", value: 9}}')


class ScheduleTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        text = "metrics:\n"
        for number, zone in enumerate(ZONES):
            is_open, is_closed = around(zone)
            text += entry(f"open_{number}", zone, is_open) + entry(f"closed_{number}", zone, is_closed)
        cls.weir = cls.start(Weir(cls.new_folder(), text))

    def test_the_value_is_that_of_the_window_in_the_zone(self):
        for number, zone in enumerate(ZONES):
            with self.subTest(zone):
                self.assertEqual("8", self.weir.metric("shop", f"open_{number}").json()["items"][0]["value"])
                self.assertEqual("2", self.weir.metric("shop", f"closed_{number}").json()["items"][0]["value"])

    def test_explain_shows_the_time_the_window_and_the_next_change(self):
        before = datetime.now(timezone.utc)

        run = run_weir("explain", "--config", self.weir.config_file, "shop/open_1")

        self.assertEqual((0, ""), (run.returncode, run.stderr))
        shown = re.search(r"(\w{3} \d{4}-\d\d-\d\d \d\d:\d\d) CES?T in Europe/Berlin: [\w,]+ 00:00-24:00;"
                          r" 2 from (\w{3} \d{4}-\d\d-\d\d 00:00) CES?T on \(otherwise\)", run.stdout)
        self.assertTrue(shown, run.stdout)
        local = datetime.strptime(shown[1], "%a %Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo("Europe/Berlin"))
        self.assertLess(abs(local - before), timedelta(minutes=2))
        change = datetime.strptime(shown[2], "%a %Y-%m-%d %H:%M")
        self.assertEqual((before.astimezone(ZoneInfo("Europe/Berlin")) + timedelta(days=2)).date(), change.date())

    def test_a_misspelt_zone_and_a_wrong_field_name_their_fix(self):
        path = self.folder() / "weir.yaml"
        path.write_text("metrics:\n" + entry("a", "america/new_york", '{from: "61 * * * *", to: "0 18 * * *", value: 1}'))

        run = run_weir("check", path)

        self.assertEqual((1, [
            f'{path}:2:56: there is no time zone "america/new_york"; did you mean "America/New_York"?',
            f'{path}:2:91: "61" is not a valid minute in "61 * * * *": write 0 to 59',
            "weir: 2 problems in the configuration"]), (run.returncode, run.stderr.splitlines()))

    def test_the_page_is_valid(self):
        block = re.search(r"```yaml\n(metrics:.*?)```", (ROOT / "docs" / "schedule.md").read_text(), re.S)[1]
        path = self.folder() / "weir.yaml"
        path.write_text(block)

        run = run_weir("check", path)

        self.assertEqual((0, ""), (run.returncode, run.stderr), run.stdout)


if __name__ == "__main__":
    unittest.main()
