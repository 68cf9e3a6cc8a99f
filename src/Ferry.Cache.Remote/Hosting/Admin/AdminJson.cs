using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Ferry.Cache.Remote.Hosting.Admin;

/// <summary>Answers of the admin port: one JSON object, or a stream of them, one a line.</summary>
internal static class AdminJson
{
    public const string LinesType = "application/x-ndjson; charset=utf-8";
    private const string ObjectType = "application/json; charset=utf-8";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static Task WriteAsync(HttpContext context, JsonObject body, int status = StatusCodes.Status200OK)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = ObjectType;
        return context.Response.WriteAsync(body.ToJsonString(Indented) + "\n", context.RequestAborted);
    }

    public static Task WriteErrorAsync(HttpContext context, int status, string text) => WriteAsync(context, new JsonObject { ["error"] = text }, status);

    /// <summary>Writes one line of a stream.</summary>
    /// <param name="flushes">Whether it is sent at once.</param>
    public static async Task WriteLineAsync(HttpContext context, JsonObject line, bool flushes = true)
    {
        context.Response.ContentType ??= LinesType;
        await context.Response.WriteAsync(line.ToJsonString() + "\n", context.RequestAborted);
        if (flushes)
        {
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
    }
}
