namespace Ferry.Cli;

/// <summary>The user asked for something that cannot be done as asked: shown without a stack, exit code 2.</summary>
internal sealed class UsageException(string message) : Exception(message);
