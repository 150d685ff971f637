-- Before Quarto: the alternative text of a picture where Word looks for it. Our own renderer skips this
-- file because of its name.

function Image(img)
  local alt = img.attributes["fig-alt"]
  if FORMAT ~= "docx" or not alt then return nil end
  img.caption = pandoc.Inlines(alt)
  return img
end
