using System.Diagnostics;
using System.Text;

namespace Ferry.IntegrationTests.Fronts;

/// <summary>Runs a program of the system to its end, within a limit.</summary>
internal static class ProgramRun
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    /// <returns>What it printed.</returns>
    public static async Task<string> RunAsync(string program, string? input, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.Latin1,
        })!;
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            await process.WaitForExitAsync().WaitAsync(Limit);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {await errors}{await output}");
        return await output;
    }
}
