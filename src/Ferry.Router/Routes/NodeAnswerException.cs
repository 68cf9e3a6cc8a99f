namespace Ferry.Router.Routes;

/// <summary>A decode node answered with an error, which is the client's answer, too.</summary>
internal sealed class NodeAnswerException(int status, ReadOnlyMemory<byte> body) : Exception($"The node answered {status}.")
{
    public int Status { get; } = status;

    public ReadOnlyMemory<byte> Body { get; } = body;
}
