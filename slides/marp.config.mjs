// A line's end is a space, as everywhere else in Markdown. Unicode signs stay text: Marp would
// replace them by pictures from a server.
export default {
  html: true,
  allowLocalFiles: true,
  options: {
    markdown: { breaks: false },
    emoji: { shortcode: false, unicode: false },
  },
};
