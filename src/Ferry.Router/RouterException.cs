namespace Ferry.Router;

/// <summary>A request that the router itself answers by an error, in vLLM's shape.</summary>
/// <param name="status">HTTP status.</param>
/// <param name="type">vLLM's name of the kind of error.</param>
public sealed class RouterException(int status, string type, string message) : Exception(message)
{
    public int Status { get; } = status;

    public string Type { get; } = type;

    public static RouterException BadRequest(string message) => new(400, "BadRequestError", message);

    public static RouterException BadGateway(string message) => new(502, "BadGatewayError", message);
}
