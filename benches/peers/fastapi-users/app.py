"""The same routes with fastapi-users, written as its documentation shows: for a comparison of whole programs.

`POST /register` and `PATCH /users/me` take JSON. `POST /login` takes a form with `username` and `password` and answers
204 with the cookie. `POST /verify` and `POST /reset-password` take JSON as elsewhere.
"""

import os
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin, schemas
from fastapi_users.authentication import AuthenticationBackend, CookieTransport, JWTStrategy
from fastapi_users.authentication.strategy.db import DatabaseStrategy
from fastapi_users.password import PasswordHelper
from fastapi_users_db_sqlalchemy import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from fastapi_users_db_sqlalchemy.access_token import (
    SQLAlchemyAccessTokenDatabase,
    SQLAlchemyBaseAccessTokenTableUUID,
)
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import ForeignKey, event
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

SECRET = os.environ["SECRET_KEY"]
DAY = 24 * 60 * 60


def database_url() -> str:
    """The URL with the driver that SQLAlchemy wants named, and with its own slash before the path of a file."""
    scheme, rest = os.environ["DATABASE_URL"].split("://", 1)
    return f"sqlite+aiosqlite:///{rest}" if scheme == "sqlite" else f"postgresql+asyncpg://{rest}"


class Base(DeclarativeBase):
    pass


class User(SQLAlchemyBaseUserTableUUID, Base):
    __tablename__ = "users"

    display_name: Mapped[str | None] = mapped_column(default=None)
    login_count: Mapped[int] = mapped_column(default=0)


class AccessToken(SQLAlchemyBaseAccessTokenTableUUID, Base):
    """Where `AUTH=session` keeps its tokens."""

    __tablename__ = "access_tokens"

    @declared_attr
    def user_id(cls) -> Mapped[uuid.UUID]:
        return mapped_column(ForeignKey("users.id", ondelete="cascade"), nullable=False)


class UserRead(schemas.BaseUser[uuid.UUID]):
    display_name: str | None
    login_count: int


class UserCreate(schemas.BaseUserCreate):
    display_name: str | None = None


class UserUpdate(schemas.BaseUserUpdate):
    display_name: str | None = None


engine = create_async_engine(database_url())
session_maker = async_sessionmaker(engine, expire_on_commit=False)

if database_url().startswith("sqlite"):

    @event.listens_for(engine.sync_engine, "connect")
    def use_wal(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode = WAL")


async def get_session() -> AsyncIterator[AsyncSession]:
    async with session_maker() as session:
        yield session


async def get_user_database(
    session: AsyncSession = Depends(get_session),
) -> AsyncIterator[SQLAlchemyUserDatabase]:
    yield SQLAlchemyUserDatabase(session, User)


async def get_token_database(
    session: AsyncSession = Depends(get_session),
) -> AsyncIterator[SQLAlchemyAccessTokenDatabase]:
    yield SQLAlchemyAccessTokenDatabase(session, AccessToken)


# The cost of the other programs; by default it is 64 MiB, 3 passes and 4 lanes.
password_helper = PasswordHelper(PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19456, parallelism=1),)))


class UserManager(UUIDIDMixin, BaseUserManager[User, uuid.UUID]):
    reset_password_token_secret = SECRET
    verification_token_secret = SECRET

    async def on_after_login(
        self, user: User, request: Request | None = None, response: Response | None = None
    ) -> None:
        await self.user_db.update(user, {"login_count": user.login_count + 1})


async def get_user_manager(
    database: SQLAlchemyUserDatabase = Depends(get_user_database),
) -> AsyncIterator[UserManager]:
    yield UserManager(database, password_helper)


def get_jwt_strategy() -> JWTStrategy:
    return JWTStrategy(secret=SECRET, lifetime_seconds=DAY)


def get_database_strategy(
    database: SQLAlchemyAccessTokenDatabase = Depends(get_token_database),
) -> DatabaseStrategy:
    return DatabaseStrategy(database, lifetime_seconds=30 * DAY)


backend = AuthenticationBackend(
    name="cookie",
    transport=CookieTransport(cookie_max_age=DAY, cookie_secure=False),
    get_strategy=get_database_strategy if os.environ.get("AUTH") == "session" else get_jwt_strategy,
)
users = FastAPIUsers[User, uuid.UUID](get_user_manager, [backend])


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield


app = FastAPI(lifespan=lifespan)
app.include_router(users.get_auth_router(backend))
app.include_router(users.get_register_router(UserRead, UserCreate))
app.include_router(users.get_reset_password_router())
app.include_router(users.get_verify_router(UserRead))
app.include_router(users.get_users_router(UserRead, UserUpdate), prefix="/users")

if __name__ == "__main__":
    host, port = os.environ["ADDR"].rsplit(":", 1)
    # In place of this process, for each worker imports this file, and the tables cannot be defined twice.
    options = ["--loop", "uvloop", "--no-access-log", "--log-level", "warning"]
    options += ["--host", host, "--port", port, "--workers", os.environ.get("WORKERS", "1")]
    here = os.path.dirname(os.path.abspath(__file__))
    os.execv(sys.executable, [sys.executable, "-m", "uvicorn", "app:app", "--app-dir", here, *options])
