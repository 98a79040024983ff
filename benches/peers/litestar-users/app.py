"""The same routes with litestar-users, written as its documentation shows: for a comparison of whole programs."""

import os
import sys
from dataclasses import dataclass
from typing import Any

from advanced_alchemy.base import UUIDBase
from advanced_alchemy.extensions.litestar.dto import SQLAlchemyDTO, SQLAlchemyDTOConfig
from advanced_alchemy.extensions.litestar.plugins import SQLAlchemyAsyncConfig, SQLAlchemyInitPlugin
from advanced_alchemy.extensions.litestar.store import SQLAlchemyStore, StoreModelMixin
from advanced_alchemy.repository import SQLAlchemyAsyncRepository
from litestar import Litestar, Request
from litestar.dto import DataclassDTO
from litestar.middleware.session.server_side import ServerSideSessionConfig
from litestar_users import LitestarUsersConfig, LitestarUsersPlugin
from litestar_users.config import (
    AuthHandlerConfig,
    CurrentUserHandlerConfig,
    JWTCookieAuthConfig,
    PasswordResetHandlerConfig,
    RegisterHandlerConfig,
    VerificationHandlerConfig,
)
from litestar_users.mixins import SQLAlchemyUserMixin
from litestar_users.service import BaseUserService
from passlib.hash import argon2
from sqlalchemy import event
from sqlalchemy.orm import Mapped, mapped_column


class User(UUIDBase, SQLAlchemyUserMixin):
    __tablename__ = "users"

    display_name: Mapped[str | None] = mapped_column(default=None)
    login_count: Mapped[int] = mapped_column(default=0)


class Session(StoreModelMixin):
    """Where `AUTH=session` keeps its sessions."""

    __tablename__ = "sessions"


class UserRepository(SQLAlchemyAsyncRepository[User]):
    model_type = User


@dataclass
class Registration:
    email: str
    password: str
    display_name: str | None = None


class RegistrationDTO(DataclassDTO[Registration]):
    """What registers a user."""


class ReadDTO(SQLAlchemyDTO[User]):
    config = SQLAlchemyDTOConfig(exclude={"password_hash"})


class UpdateDTO(SQLAlchemyDTO[User]):
    config = SQLAlchemyDTOConfig(include={"display_name"}, partial=True)


class UserService(BaseUserService[User, Any, Any]):
    async def post_login_hook(self, user: User, request: Request | None = None) -> None:
        user.login_count += 1
        await self.user_repository.update(user)


def database_url() -> str:
    """The URL with the driver that SQLAlchemy wants named, and with its own slash before the path of a file."""
    scheme, rest = os.environ["DATABASE_URL"].split("://", 1)
    return f"sqlite+aiosqlite:///{rest}" if scheme == "sqlite" else f"postgresql+asyncpg://{rest}"


def application() -> Litestar:
    database = SQLAlchemyAsyncConfig(
        connection_string=database_url(),
        session_dependency_key="session",
        before_send_handler="autocommit",
        create_all=True,
    )
    if database_url().startswith("sqlite"):

        @event.listens_for(database.get_engine().sync_engine, "connect")
        def use_wal(connection: Any, _record: Any) -> None:
            connection.execute("PRAGMA journal_mode = WAL")

    if os.environ.get("AUTH", "jwt_cookie") == "session":
        auth = ServerSideSessionConfig(store="sessions")
    else:
        auth = JWTCookieAuthConfig(cookie_secure=False)
    users = LitestarUsersPlugin(
        LitestarUsersConfig(
            auth_config=auth,
            # It takes 16, 24 or 32 characters.
            secret=os.environ["SECRET_KEY"][:32],
            # The cost of the other programs; by default it is 64 MiB, 3 passes and 4 lanes.
            hash_schemes=[argon2.using(memory_cost=19456, time_cost=2, parallelism=1)],
            user_repository_class=UserRepository,
            user_read_dto=ReadDTO,
            user_registration_dto=RegistrationDTO,
            user_update_dto=UpdateDTO,
            user_service_class=UserService,
            # Otherwise the request's own transaction keeps SQLite from storing its session, which another one does.
            auto_commit_transactions=True,
            require_verification_on_registration=False,
            auth_handler_config=AuthHandlerConfig(),
            current_user_handler_config=CurrentUserHandlerConfig(),
            password_reset_handler_config=PasswordResetHandlerConfig(),
            register_handler_config=RegisterHandlerConfig(),
            verification_handler_config=VerificationHandlerConfig(),
        )
    )
    return Litestar(
        plugins=[SQLAlchemyInitPlugin(config=database), users],
        stores={"sessions": SQLAlchemyStore(database, model=Session)},
    )


if __name__ == "__main__":
    host, port = os.environ["ADDR"].rsplit(":", 1)
    # In place of this process, for each worker imports this file, and the tables cannot be defined twice.
    options = ["--factory", "--loop", "uvloop", "--no-access-log", "--log-level", "warning"]
    options += ["--host", host, "--port", port, "--workers", os.environ.get("WORKERS", "1")]
    here = os.path.dirname(os.path.abspath(__file__))
    os.execv(sys.executable, [sys.executable, "-m", "uvicorn", "app:application", "--app-dir", here, *options])
