"""Language and look: the reader's own choice, kept in a cookie, signed in or not."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from isthmus.reference.codelist import LOCALES
from isthmus.web.visitor import LOCALE_COOKIE, THEME_COOKIE, THEMES, safe_next

router = APIRouter()

YEAR = 365 * 24 * 3600


@router.post("/preferences")
def choose(
    request: Request,
    language: Annotated[str, Form()] = "",
    theme: Annotated[str, Form()] = "",
    back: Annotated[str, Form()] = "/",
) -> Response:
    """Keep a choice of language or look and go back to the page it was made on."""
    answer = RedirectResponse(safe_next(back), status_code=303)
    for name, value, allowed in (
        (LOCALE_COOKIE, language, LOCALES),
        (THEME_COOKIE, theme, THEMES),
    ):
        if value in allowed:
            answer.set_cookie(
                name,
                value,
                max_age=YEAR,
                httponly=True,
                samesite="lax",
                secure=request.url.scheme == "https",
            )
    return answer
