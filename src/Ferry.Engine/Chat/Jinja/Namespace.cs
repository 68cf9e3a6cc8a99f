namespace Ferry.Engine.Chat.Jinja;

/// <summary>What <c>namespace(…)</c> gives: the one object that a template may change from inside a loop.</summary>
internal sealed record Namespace(Dictionary<string, object?> Members);
