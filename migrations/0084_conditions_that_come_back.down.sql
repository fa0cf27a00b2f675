create or replace trigger refuse_held_update before update of email, personality_traits, settings on users
    for each row when ((old.email, old.personality_traits, old.settings) is distinct from (new.email, new.personality_traits, new.settings))
    execute function refuse_held_change('user');
create or replace trigger refuse_held_update before update of provider, model_path on voice_models
    for each row when ((old.provider, old.model_path) is distinct from (new.provider, new.model_path))
    execute function refuse_held_change('model');
create or replace trigger refuse_held_update before update of model_path, width, height on face_models
    for each row when ((old.model_path, old.width, old.height) is distinct from (new.model_path, new.width, new.height))
    execute function refuse_held_change('model');
create or replace trigger refuse_held_update before update of filename, content_type, text_content on knowledge_documents
    for each row when ((old.filename, old.content_type, old.text_content) is distinct from (new.filename, new.content_type, new.text_content))
    execute function refuse_held_change('document');
