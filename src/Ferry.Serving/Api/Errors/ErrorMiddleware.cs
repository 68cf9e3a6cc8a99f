using System.Text.Json;
using Ferry.Engine.Chat;
using Ferry.Engine.Generation;
using Ferry.Serving.Api.Streaming;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Ferry.Serving.Api.Errors;

/// <summary>The edge of a request: turns whatever is thrown into vLLM's error JSON, or into an error event when the stream has begun.</summary>
internal sealed class ErrorMiddleware(RequestDelegate next, ILogger<ErrorMiddleware> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            ApiLog.ClientGone(logger, context.TraceIdentifier);
        }
        catch (Exception exception)
        {
            var error = Translate(exception);
            if (error.Status >= 500 && exception is not ApiException)
            {
                ApiLog.RequestFailed(logger, context.TraceIdentifier, exception);
            }
            await AnswerAsync(context, error);
        }
    }

    /// <summary>Writes the error if nothing was sent yet, as an event if a stream had begun.</summary>
    internal static async Task AnswerAsync(HttpContext context, ApiException error)
    {
        if (!context.Response.HasStarted)
        {
            context.Response.Headers.Remove("x-ferry-kv-source");
            context.Response.StatusCode = error.Status;
            if (error.Status == 429)
            {
                context.Response.Headers.RetryAfter = "1";
            }
            await ServingJson.WriteAsync(context, ErrorBody.Of(error), ServingJsonContext.Wire.ErrorBody);
            return;
        }
        if (context.Features.Get<SseStream>() is { } stream)
        {
            await stream.FailAsync(error, context.RequestAborted);
            return;
        }
        context.Abort();
    }

    private static ApiException Translate(Exception exception) => exception switch
    {
        ApiException error => error,
        PromptTooLongException error => ApiException.BadRequest(
            $"This model's maximum context length is {error.MaxModelLen} tokens. However, your request has {error.PromptTokens} input tokens. " +
            "Please reduce the length of the input messages.", "input_tokens"),
        EngineOverloadedException error => ApiException.Overloaded(error.Message),
        ChatTemplateException error => ApiException.BadRequest(error.Message, "messages"),
        ArgumentException error => ApiException.BadRequest(error.Message),
        JsonException error => ApiException.BadRequest(JsonMessage(error)),
        BadHttpRequestException error => new ApiException(error.StatusCode, error.StatusCode == 413 ? "RequestEntityTooLargeError" : "BadRequestError", error.Message),
        ObjectDisposedException => new ApiException(503, "ServiceUnavailableError", "The engine has stopped."),
        _ => ApiException.Internal(),
    };

    private static string JsonMessage(JsonException error)
    {
        var where = string.IsNullOrEmpty(error.Path) || error.Path == "$" ? "" : $" at {error.Path}";
        return $"The request body is not what this endpoint reads: {error.Message.Split(" Path:")[0]}{where}";
    }
}
