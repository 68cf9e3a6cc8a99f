namespace Ferry.Router.Routes;

/// <summary>A node's own error inside a request of several legs: it is the client's answer, too.</summary>
internal sealed class NodeAnswerException(int status, string contentType, ReadOnlyMemory<byte> body) : Exception($"The node answered {status}.")
{
    public int Status { get; } = status;

    public string ContentType { get; } = contentType;

    public ReadOnlyMemory<byte> Body { get; } = body;
}
