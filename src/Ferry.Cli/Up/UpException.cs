namespace Ferry.Cli.Up;

/// <summary>The cluster did not come up or did not do what it is for; the message is for the user as it stands.</summary>
internal sealed class UpException(string message) : Exception(message);
