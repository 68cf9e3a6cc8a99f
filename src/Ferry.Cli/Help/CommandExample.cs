namespace Ferry.Cli.Help;

/// <summary>A command line that a user can copy, and what it does.</summary>
internal sealed record CommandExample(string CommandLine, string Purpose);
