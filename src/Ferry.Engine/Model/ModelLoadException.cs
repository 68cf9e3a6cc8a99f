namespace Ferry.Engine.Model;

/// <summary>A model directory cannot be used. The message is for the user: the file, what is in it, what is allowed.</summary>
public sealed class ModelLoadException : Exception
{
    public ModelLoadException(string message)
        : base(message)
    {
    }

    public ModelLoadException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public ModelLoadException()
    {
    }
}
