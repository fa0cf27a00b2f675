-- What was said is gone; what it cost and how long it took stays.
update conversation_turns_v1
set user_transcript = null, llm_response = null, spoken_text = null
where session_id in (select stream_id from erased)
  and num_nonnulls(user_transcript, llm_response, spoken_text) > 0;
