namespace Ferry.Engine.Chat.Jinja;

/// <summary>A function that the template may call.</summary>
/// <param name="Run">Positional and named arguments, and the line of the call.</param>
internal sealed record Callable(string Name, Func<List<object?>, Dictionary<string, object?>, int, object?> Run);
