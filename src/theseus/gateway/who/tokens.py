"""Access tokens: short-lived JWTs, signed with the gateway's secret."""

from datetime import UTC, datetime, timedelta

import jwt

from theseus.config import Settings
from theseus.contracts.accounts import UserRecord
from theseus.gateway.callers import Caller

ACCESS = timedelta(minutes=30)
LEEWAY = timedelta(seconds=10)
_ALGORITHM = "HS256"
_ISSUER = "theseus"
_REQUIRED = ["sub", "tid", "role", "exp", "iat", "iss"]


def access_tokens(settings: Settings) -> "AccessTokens | None":
    """Those of the settings; None where no secret is set."""
    return AccessTokens(settings.jwt_secret.get_secret_value()) if settings.jwt_secret is not None else None


class AccessTokens:
    """Makes and reads access tokens.

    Args:
        secret: at least 32 bytes; all gateways of an installation have the same.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def made(self, user: UserRecord) -> str:
        """A token for a user, good for `ACCESS`."""
        now = datetime.now(UTC)
        claims = {"sub": user.user_id, "tid": user.tenant_id, "role": user.role, "iss": _ISSUER}
        return jwt.encode({**claims, "iat": now, "exp": now + ACCESS}, self._secret, _ALGORITHM)

    def caller(self, token: str) -> Caller | None:
        """Whose token it is; None when it is none of ours, or over."""
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[_ALGORITHM],
                issuer=_ISSUER,
                leeway=LEEWAY,
                options={"require": _REQUIRED},
            )
        except jwt.InvalidTokenError:
            return None
        user_id, tenant_id = str(claims["sub"]), str(claims["tid"])
        return Caller(user_id, tenant_id, key_id=f"user:{user_id}", is_admin=claims["role"] == "admin")
