namespace Ferry.Serving.Api.Errors;

/// <summary>A request that is answered by an error in vLLM's shape. The message is meant for the client.</summary>
/// <param name="status">HTTP status.</param>
/// <param name="type">vLLM's name of the kind of error.</param>
/// <param name="parameter">The field at fault, or null.</param>
public sealed class ApiException(int status, string type, string message, string? parameter = null) : Exception(message)
{
    public int Status { get; } = status;

    public string Type { get; } = type;

    public string? Parameter { get; } = parameter;

    public static ApiException BadRequest(string message, string? parameter = null) => new(400, "BadRequestError", message, parameter);

    public static ApiException NotFound(string message, string? parameter = null) => new(404, "NotFoundError", message, parameter);

    public static ApiException NotSupported(string message, string? parameter = null) => new(501, "NotImplementedError", message, parameter);

    public static ApiException Overloaded(string message) => new(429, "TooManyRequestsError", message);

    public static ApiException Internal(string message = "Internal server error") => new(500, "InternalServerError", message);
}
