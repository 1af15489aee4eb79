"""Static files under the address that holds their hash, so that browsers keep them for ever."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from ...server.errors import NotFound
from ..assets import Assets

router = APIRouter()

_FOREVER = "public, max-age=31536000, immutable"


@router.get("/static/{asset_hash}/{name:path}", include_in_schema=False)
async def static_file(request: Request, asset_hash: str, name: str) -> Response:
    """Return one file. Open to everybody: the sign-in page needs its style sheet.

    An address of an earlier release gets the present file, uncached, so that open tabs keep working.
    """
    assets = request.app.state.assets
    assert isinstance(assets, Assets)
    asset = assets.files.get(name)
    if asset is None:
        raise NotFound("There is no such file.")
    cache = _FOREVER if asset_hash == assets.hash else "no-store"
    return Response(asset.body, media_type=asset.media_type, headers={"Cache-Control": cache})
