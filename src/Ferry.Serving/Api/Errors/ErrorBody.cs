namespace Ferry.Serving.Api.Errors;

/// <summary>vLLM's error object: <c>{"error":{"message","type","param","code"}}</c>.</summary>
internal sealed record ErrorBody(ErrorDetail Error)
{
    public static ErrorBody Of(ApiException exception) =>
        new(new ErrorDetail(exception.Message, exception.Type, exception.Parameter, exception.Status));
}
