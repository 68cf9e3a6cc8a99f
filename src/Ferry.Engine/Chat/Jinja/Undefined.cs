namespace Ferry.Engine.Chat.Jinja;

/// <summary>A variable or member that is not there: prints as nothing, is false, and fails when used otherwise.</summary>
/// <param name="Name">How the template called it.</param>
internal sealed record Undefined(string Name);
