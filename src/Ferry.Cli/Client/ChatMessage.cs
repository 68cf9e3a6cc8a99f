namespace Ferry.Cli.Client;

/// <param name="Role">system, user or assistant.</param>
internal sealed record ChatMessage(string Role, string Content);
