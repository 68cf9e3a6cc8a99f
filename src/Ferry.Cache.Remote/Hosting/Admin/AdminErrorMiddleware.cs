using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Remote.Hosting.Admin;

/// <summary>The edge of a request: what goes wrong is an answer, and is logged once.</summary>
internal sealed class AdminErrorMiddleware(RequestDelegate next, ILogger logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has gone; there is nobody to answer.
        }
        catch (AdminException exception) when (!context.Response.HasStarted)
        {
            await AdminJson.WriteErrorAsync(context, exception.Status, exception.Message);
        }
        catch (Exception exception)
        {
            if (exception is not AdminException and not IOException)
            {
                HostingLog.AdminFailed(logger, context.Request.Path, exception);
            }
            if (!context.Response.HasStarted)
            {
                await AdminJson.WriteErrorAsync(context, StatusCodes.Status500InternalServerError, exception.Message);
                return;
            }
            // A stream has begun: its last line says why it ended.
            if (context.Response.ContentType == AdminJson.LinesType)
            {
                await AdminJson.WriteLineAsync(context, new JsonObject { ["error"] = exception.Message });
                return;
            }
            context.Abort();
        }
    }
}
