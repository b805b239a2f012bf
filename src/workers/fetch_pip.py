# Run by snakepit with `python -c` where the interpreter has no pip: fetches pip's own wheel, which runs as a zip.
# sys.argv: the folder to put it into. Prints the wheel's path as the last line. Standard library only.
import configparser
import hashlib
import html.parser
import os
import re
import ssl
import sys
import urllib.parse
import urllib.request


def configured(key):
    found = os.environ.get("PIP_" + key.upper().replace("-", "_"))
    home = os.path.expanduser("~")
    config = os.environ.get("XDG_CONFIG_HOME", os.path.join(home, ".config"))
    for path in (os.path.join(home, ".pip", "pip.conf"), os.path.join(config, "pip", "pip.conf"), "/etc/pip.conf"):
        if found:
            break
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except configparser.Error:
            continue
        for section in ("install", "global"):
            found = found or parser.get(section, key, fallback=None)
    return found


class Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.links = []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "a" and attrs.get("href") and "data-yanked" not in attrs:
            self.links.append((attrs["href"], attrs.get("data-requires-python") or ""))


def runs_here(requires):
    found = re.search(r">=\s*3\.(\d+)", requires)
    return not found or sys.version_info[:2] >= (3, int(found.group(1)))


def main():
    index = (configured("index-url") or "https://pypi.org/simple").rstrip("/") + "/pip/"
    context = ssl.create_default_context(cafile=configured("cert"))

    def get(url):
        request = urllib.request.Request(url, headers={"Accept": "text/html", "User-Agent": "snakepit"})
        with urllib.request.urlopen(request, timeout=30, context=context) as reply:
            return reply.read()

    page = Links()
    page.feed(get(index).decode("utf-8", "replace"))
    wheels = []
    for link, requires in page.links:
        url = urllib.parse.urljoin(index, link)
        name = urllib.parse.unquote(urllib.parse.urlsplit(url).path.rsplit("/", 1)[-1])
        match = re.fullmatch(r"pip-(\d+(?:\.\d+)*)-py3-none-any\.whl", name)
        if match and runs_here(requires):
            wheels.append(([int(part) for part in match.group(1).split(".")], name, url))
    if not wheels:
        sys.exit("no wheel of pip for this interpreter at " + index)
    _, name, url = max(wheels)
    data = get(urllib.parse.urldefrag(url)[0])
    digest = urllib.parse.urlsplit(url).fragment
    if not digest.startswith("sha256=") or hashlib.sha256(data).hexdigest() != digest[7:]:
        sys.exit("the checksum of " + name + " does not agree with the index")
    path = os.path.join(sys.argv[1], name)
    with open(path + ".part", "wb") as wheel:
        wheel.write(data)
    os.replace(path + ".part", path)
    print(path)


main()
