//! What administrators may do, and who is one.

mod access_table;
mod columns;
mod events;
mod guards;
mod invitations;
mod keys;
mod last_administrator;
mod lists;
mod overriding;
mod plans;
mod roles;
mod support;
mod tenants;
mod users;
