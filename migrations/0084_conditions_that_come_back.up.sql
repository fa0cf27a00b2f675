-- A condition that compares rows comes back from a dump with other parentheses than it has here, and `recorder migrate verify`
-- took a restored schema for one that somebody had changed. These say the same column by column, and stay what they are.
create or replace trigger refuse_held_update before update of email, personality_traits, settings on users
    for each row when (old.email is distinct from new.email or old.personality_traits is distinct from new.personality_traits
        or old.settings is distinct from new.settings)
    execute function refuse_held_change('user');
create or replace trigger refuse_held_update before update of provider, model_path on voice_models
    for each row when (old.provider is distinct from new.provider or old.model_path is distinct from new.model_path)
    execute function refuse_held_change('model');
create or replace trigger refuse_held_update before update of model_path, width, height on face_models
    for each row when (old.model_path is distinct from new.model_path or old.width is distinct from new.width
        or old.height is distinct from new.height)
    execute function refuse_held_change('model');
create or replace trigger refuse_held_update before update of filename, content_type, text_content on knowledge_documents
    for each row when (old.filename is distinct from new.filename or old.content_type is distinct from new.content_type
        or old.text_content is distinct from new.text_content)
    execute function refuse_held_change('document');
