namespace Ferry.Serving.Api.Errors;

internal sealed record ErrorDetail(string Message, string Type, string? Param, int Code);
