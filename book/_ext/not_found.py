"""404.html for GitHub Pages, which serves it under any address: so it stands alone."""

from pathlib import Path

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Not found · {title}</title>
<style>
  :root {{ color-scheme: light dark; }}
  body {{ font: 1.2rem/1.5 Georgia, serif; max-width: 32rem; margin: 20vh auto; padding: 0 1rem; }}
</style>
<main>
  <h1>This page is masked</h1>
  <p>Nothing stands at this address, or it has moved. <a href="{home}">Begin at the front page</a>,
  or <a href="{home}search.html">search the course</a>.</p>
</main>
</html>
"""


def home(repository):
    """The address of the published site, from that of the repository."""
    owner, name = repository.rsplit("/", 2)[1:]
    return f"https://{owner}.github.io/{name}/"


def write(app, exception):
    if exception is None and app.builder.format == "html":
        address = home(app.config.html_theme_options["repository_url"])
        page = PAGE.format(title=app.config.html_title, home=address)
        Path(app.outdir, "404.html").write_text(page, encoding="utf-8")


def setup(app):
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
