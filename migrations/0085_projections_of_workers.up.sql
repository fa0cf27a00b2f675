-- Shards were divided among all workers that live, also those whose program does not have the projection: their part of it was
-- never built.

-- The versions of projections that a worker takes shards of, such as conversation_turns v1; null if its program does not say:
-- then it counts for all of them.
alter table projector_workers add column projections text[];
