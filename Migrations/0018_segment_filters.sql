-- The filter of a batch segment job as it was when the job was made: what becomes of the filter later does not change the answer.
ALTER TABLE batch_segment_job
    ADD COLUMN filter_name text COLLATE "C",
    ADD COLUMN filter_expression text,
    ADD CONSTRAINT batch_segment_job_filter CHECK ((filter_name IS NULL) = (filter_expression IS NULL));
