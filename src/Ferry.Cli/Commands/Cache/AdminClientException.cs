using System.Text.Json.Nodes;

namespace Ferry.Cli.Commands.Cache;

/// <summary>The exchange is not there, or says no: the message is all that the user needs.</summary>
internal sealed class AdminClientException(string message, JsonObject? body = null) : Exception(message)
{
    /// <summary>The refusal as the exchange put it, or null.</summary>
    public JsonObject? Body { get; } = body;
}
