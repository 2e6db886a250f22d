"""Made-up requests, signed by Twilio's own library: one JSON object a line, the same ones each time."""

import json
import random
import sys

from twilio.request_validator import RequestValidator

ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "0123456789+#*",
    " -_.~!'()%&=?/:@;,\"<>[]{}|\\^`$",
    "éèàçœÉ€ßñ漢字🎉\u00a0\u2028",
    "\t\r\n",
]
NAMES = ["CallSid", "CallStatus", "CallToken", "Called", "Caller", "Digits", "From", "SpeechResult", "To"]


class Fields(dict):
    """A form as web frameworks give it to the library: several values a name."""

    def getlist(self, name):
        return self[name]


def text(dice, longest):
    letters = "".join(dice.sample(ALPHABETS, dice.randint(1, 3)))
    return "".join(dice.choice(letters) for _ in range(dice.randint(0, longest)))


def request(dice):
    fields = []
    for _ in range(dice.randint(0, 14)):
        name = dice.choice(NAMES) if dice.random() < 0.7 else text(dice, 12) or "x"
        fields.append([name, text(dice, 40)])
        if dice.random() < 0.1:
            fields.append([name, text(dice, 8)])
    path = "".join(dice.choice("abc/-._~%20") for _ in range(dice.randint(0, 30)))
    query = "&".join(f"k{n}={dice.randint(0, 999)}" for n in range(dice.randint(0, 4)))
    url = f"https://example.com/{path}" + (f"?{query}" if query else "")
    return url, fields


def main(count):
    dice = random.Random(20261126)
    for _ in range(count):
        url, fields = request(dice)
        token = "".join(dice.choice("0123456789abcdef") for _ in range(32))
        params = Fields()
        for name, value in fields:
            params.setdefault(name, []).append(value)
        signature = RequestValidator(token).compute_signature(url, params)
        print(json.dumps([token, url, fields, signature]))


main(int(sys.argv[1]))
