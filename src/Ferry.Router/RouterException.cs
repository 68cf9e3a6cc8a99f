namespace Ferry.Router;

/// <summary>A request that the router itself answers by an error, in vLLM's shape.</summary>
/// <param name="status">HTTP status.</param>
/// <param name="type">vLLM's name of the kind of error.</param>
public sealed class RouterException(int status, string type, string message) : Exception(message)
{
    public int Status { get; } = status;

    public string Type { get; } = type;

    /// <summary>When the client may try again: the header Retry-After, in whole seconds; null: no such header.</summary>
    public TimeSpan? RetryAfter { get; private init; }

    public static RouterException BadRequest(string message) => new(400, "BadRequestError", message);

    public static RouterException Unauthorized(string message) => new(401, "AuthenticationError", message);

    public static RouterException TooMany(string message, TimeSpan retryAfter) => new(429, "TooManyRequestsError", message) { RetryAfter = retryAfter };

    public static RouterException BadGateway(string message) => new(502, "BadGatewayError", message);

    public static RouterException Unavailable(string message, TimeSpan retryAfter) => new(503, "ServiceUnavailableError", message) { RetryAfter = retryAfter };
}
