namespace Ferry.Cli.Client;

/// <summary>The server could not be reached or refused; the message is for the user as it stands.</summary>
internal sealed class FerryClientException(string message, Exception? inner = null) : Exception(message, inner);
