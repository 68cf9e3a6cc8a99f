namespace Ferry.Cli.Commands.Cache;

/// <summary>A file that is there whole or not at all.</summary>
internal static class PartFile
{
    /// <summary>Writes beside the file and renames at the end; what was broken off is deleted.</summary>
    /// <exception cref="AdminClientException">The file cannot be written, or the source broke off.</exception>
    public static async Task WriteAsync(string path, Func<Stream, Task> write)
    {
        var part = path + ".part";
        try
        {
            await using (var file = new FileStream(part, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16, useAsync: true))
            {
                await write(file);
                file.Flush(flushToDisk: true);
            }
            File.Move(part, path, overwrite: true);
        }
        catch (Exception exception)
        {
            if (File.Exists(part))
            {
                File.Delete(part);
            }
            if (exception is IOException or HttpRequestException or UnauthorizedAccessException)
            {
                throw new AdminClientException($"{path} was not written: {exception.Message}");
            }
            throw;
        }
    }
}
