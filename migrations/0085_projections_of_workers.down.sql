alter table projector_workers drop column projections;
